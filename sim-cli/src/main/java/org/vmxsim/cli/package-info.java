/** The command line. */
package org.vmxsim.cli;
