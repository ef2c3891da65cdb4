/** The laboratory: scenario, run, replay, explain and report, everything the command line does, as a library. */
package org.vmxsim.lab;
