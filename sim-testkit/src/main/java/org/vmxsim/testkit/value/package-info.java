/**
 * The words of a property: {@link org.vmxsim.testkit.value.SubPageBitmap},
 * {@link org.vmxsim.testkit.value.SubPageVector}, {@link org.vmxsim.testkit.value.GuestAccess},
 * {@link org.vmxsim.testkit.value.MemoryLayout}, {@link org.vmxsim.testkit.value.PermissionOperation}. Immutable values
 * that print themselves shortly, so that a shrunk counter-example can be read.
 */
package org.vmxsim.testkit.value;
