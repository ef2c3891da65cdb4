/** The x86 processor: architectural state, the way to memory, exceptions, the run loop, and the port to VMX. */
package org.vmxsim.core.cpu;
