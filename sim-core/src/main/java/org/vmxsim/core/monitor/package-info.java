/**
 * The address-monitoring hardware of a processor, and the wait that MWAIT, UMWAIT and TPAUSE begin. Who waits is woken
 * by each store to the monitored line, whoever makes it, through {@link org.vmxsim.core.memory.CodePages}.
 */
package org.vmxsim.core.monitor;
