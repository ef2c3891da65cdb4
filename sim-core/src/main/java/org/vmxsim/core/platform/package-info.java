/**
 * Devices behind I/O ports that bare-metal programs talk to: {@link org.vmxsim.core.platform.Uart16550} (COM1),
 * {@link org.vmxsim.core.platform.DebugExit} (the port by which a program ends),
 * {@link org.vmxsim.core.platform.ShutdownPort} (the one by which it switches off),
 * {@link org.vmxsim.core.platform.DebugConsole}. Not modelled: baud rates, errors of the serial line.
 */
package org.vmxsim.core.platform;
