/**
 * The hardware, lower half: bits, time, physical memory, caches, TLBs, guest paging, the x86 processor and
 * platform devices.
 */
module org.vmxsim.core {
    requires org.slf4j;
}
