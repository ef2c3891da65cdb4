/**
 * What a tool changes of a virtual machine, kept so that its end undoes it: {@link org.vmxsim.kvmi.guest.PageRights},
 * {@link org.vmxsim.kvmi.guest.GuestFrames}; and the memory that it looks at:
 * {@link org.vmxsim.kvmi.guest.PhysicalPages}. Knows virtual machines and answers, but no tool and no event.
 */
package org.vmxsim.kvmi.guest;
