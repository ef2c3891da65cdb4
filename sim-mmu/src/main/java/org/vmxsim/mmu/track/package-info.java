/**
 * Page tracking: parts of the hypervisor that follow what a guest does to single pages, as KVM's {@code kvm_page_track}
 * does for writes and the KVMI series extends it to reads, writes and fetches told beforehand.
 *
 * <p>Read in this order: {@link org.vmxsim.mmu.track.TrackMode}, {@link org.vmxsim.mmu.track.PageTracker},
 * {@link org.vmxsim.mmu.track.PageTracking}, {@link org.vmxsim.mmu.track.TrackedPages}. Not modelled: the sleepable
 * read-copy-update section around the list of trackers, since everything runs on one thread.
 */
package org.vmxsim.mmu.track;
