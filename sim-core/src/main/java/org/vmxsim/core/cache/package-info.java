/**
 * Caches and memory below them, by hits, misses and latencies; they hold no contents, so they can never change a
 * result. {@link org.vmxsim.core.cache.CacheHierarchy} is a processor's way to memory,
 * {@link org.vmxsim.core.cache.SharedCache} the last level and DRAM that several processors share,
 * {@link org.vmxsim.core.cache.Cache} one level, and {@link org.vmxsim.core.cache.Recency} the choice of a victim,
 * which the TLBs use too.
 *
 * <p>Write-back and write-allocate everywhere. Not modelled: prefetchers, bandwidth, outstanding misses, DRAM banks and
 * open rows, coherence traffic between the private caches of several processors, and memory types (all is write-back).
 */
package org.vmxsim.core.cache;
