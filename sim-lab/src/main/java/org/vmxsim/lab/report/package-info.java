/** What a run tells: tables, machine-readable statistics and the page with plots. */
package org.vmxsim.lab.report;
