package org.vmxsim.testkit.stateful;

import org.vmxsim.mmu.KvmConfig;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.vmx.Engine;

/** What a virtual machine begins with. */
record Setup(
        Engine engine,
        int vcpus,
        PageSize largestPage,
        boolean accessedDirty,
        boolean modificationLog,
        boolean prefetch) {
    static Setup plain(Engine engine) {
        return new Setup(engine, 1, PageSize.SIZE_2M, true, true, true);
    }

    /** The posting v4 does not arm what is prefetched, so that little is sure with it: one in four. */
    Setup prefetchingSeldom() {
        return new Setup(engine, vcpus, largestPage, accessedDirty, modificationLog, !prefetch);
    }

    /** A late vCPU finds one. */
    int processors() {
        return Math.min(vcpus + 1, World.PROCESSORS);
    }

    KvmConfig config() {
        KvmConfig plain = KvmConfig.DEFAULT;
        return new KvmConfig(
                largestPage, accessedDirty, modificationLog, plain.exitCycles(), false, prefetch, plain.deviceMarks());
    }
}
