/**
 * Numbers of KVM's call interface: error numbers and return values. The historic byte layouts of the calls are not
 * modelled.
 */
package org.vmxsim.mmu.abi;
