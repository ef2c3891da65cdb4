package org.vmxsim.mmu.host;

/** A page as {@link HostMemory#resolve(long, boolean, HostPage)} found it; reused from call to call. */
public final class HostPage {
    /** Host-physical address of the frame's first byte. */
    public long frameHpa;
    /** Size of the page in the host's page table: no larger page may be mapped from it. */
    public PageSize size = PageSize.SIZE_4K;
    /** Whether the frame may be written as it is; if not, a write must resolve the address again. */
    public boolean writable;

    /** Nothing found yet. */
    public HostPage() {}
}
