/**
 * The hardware, lower half: bits, time, physical memory, caches, TLBs, guest paging, the x86 processor and platform
 * devices.
 */
module org.vmxsim.core {
    requires org.slf4j;

    exports org.vmxsim.core.bits;
    exports org.vmxsim.core.cache;
    exports org.vmxsim.core.cet;
    exports org.vmxsim.core.memory;
    exports org.vmxsim.core.monitor;
    exports org.vmxsim.core.paging;
    exports org.vmxsim.core.platform;
    exports org.vmxsim.core.platform.apic;
    exports org.vmxsim.core.platform.pc;
    exports org.vmxsim.core.platform.pic;
    exports org.vmxsim.core.platform.pit;
    exports org.vmxsim.core.platform.rtc;
    exports org.vmxsim.core.replay;
    exports org.vmxsim.core.time;
    exports org.vmxsim.core.tlb;
    exports org.vmxsim.core.boot;
    exports org.vmxsim.core.boot.loader;
    exports org.vmxsim.core.access;
    exports org.vmxsim.core.cpu;
    exports org.vmxsim.core.debug;
    exports org.vmxsim.core.emulation;
    exports org.vmxsim.core.model;
    exports org.vmxsim.core.segment;
    exports org.vmxsim.core.decode;
    exports org.vmxsim.core.semantics;
    exports org.vmxsim.core.insn;
    exports org.vmxsim.core.system;
    exports org.vmxsim.core.x87;
}
