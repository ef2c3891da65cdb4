/**
 * The rules once more, as naively as can be read: {@link org.vmxsim.testkit.reference.ReferenceWalk} for the walk of
 * EPT and SPPT, {@link org.vmxsim.testkit.reference.ReferencePermissions} for KVM's calls, permissions, bytes and dirty
 * pages. Neither shares code with the machine, so that they may judge it.
 */
package org.vmxsim.testkit.reference;
