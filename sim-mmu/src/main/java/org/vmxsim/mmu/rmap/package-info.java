/**
 * From a guest frame back to the EPT entries that map it.
 *
 * <p>{@link org.vmxsim.mmu.rmap.Rmap} belongs to a memslot; what an entry says, and in which table it is, is known to
 * the packages above.
 */
package org.vmxsim.mmu.rmap;
