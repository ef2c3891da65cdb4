package org.vmxsim.mmu.spp;

import org.vmxsim.mmu.abi.KvmResult;

/**
 * The answer to a request for sub-page bitmaps.
 *
 * @param result how many pages were read, or the error
 * @param bitmaps one for each page; if the call failed, none, or in V4 those before the page without memslot. Bit i
 *     allows writes to bytes 128*i to 128*i+127
 */
public record SubPages(KvmResult result, int[] bitmaps) {}
