/**
 * Sub-page protection in a run: the guest's hypercall, what becomes of denied writes, where writes landed, and names
 * for addresses.
 */
package org.vmxsim.lab.subpage;
