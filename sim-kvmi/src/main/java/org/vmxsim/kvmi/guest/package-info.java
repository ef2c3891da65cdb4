/**
 * What a tool changes of a virtual machine, kept so that its end undoes it: {@link org.vmxsim.kvmi.guest.PageRights},
 * {@link org.vmxsim.kvmi.guest.GuestViews}, {@link org.vmxsim.kvmi.guest.GuestFrames}; the memory that it looks at,
 * {@link org.vmxsim.kvmi.guest.PhysicalPages}; and what the machine can do at all,
 * {@link org.vmxsim.kvmi.guest.Features}. Knows virtual machines and answers, but no tool and no event.
 */
package org.vmxsim.kvmi.guest;
