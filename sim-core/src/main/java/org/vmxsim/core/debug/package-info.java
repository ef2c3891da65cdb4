/** Breakpoints as the debug registers describe them, apart from the processor that meets them. */
package org.vmxsim.core.debug;
