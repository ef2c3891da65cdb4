package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.track.PageTracker;
import org.vmxsim.mmu.track.PageTracking;
import org.vmxsim.mmu.track.TrackMode;
import org.vmxsim.mmu.track.TrackedAccess;
import org.vmxsim.vmx.Engine;

/** Page tracking with instructions of several kinds in a running guest. */
class PageTrackingTest {
    private static final long PAGE = 0x20_0000;
    private static final long GFN = PAGE >>> 12;

    private final Guest guest = new Guest(PageSize.SIZE_2M, Engine.FUNCTIONAL);
    private final Memslot slot = guest.vm.slots().at(GFN);
    private final PageTracking tracking = guest.vm.pageTracking();
    private final Log log = new Log();

    PageTrackingTest() {
        tracking.register(log);
    }

    /** Writes down what it is told. */
    private static final class Log implements PageTracker {
        final List<String> lines = new ArrayList<>();
        Answer answer = Answer.CONTINUE;
        Runnable before = () -> {};
        long supplied;
        int suppliedBytes;

        private Answer line(String what, TrackedAccess access) {
            lines.add("%s %x %x %d %s"
                    .formatted(
                            what,
                            access.gpa(),
                            access.gla(),
                            access.sizeBytes(),
                            access.isDataKnown() ? Long.toHexString(access.data()) : "-"));
            before.run();
            return answer;
        }

        @Override
        public Answer preRead(TrackedAccess access) {
            access.supply(supplied, suppliedBytes);
            return line("read", access);
        }

        @Override
        public Answer preWrite(TrackedAccess access) {
            return line("write", access);
        }

        @Override
        public Answer preExec(TrackedAccess access) {
            return line("exec", access);
        }

        @Override
        public void written(TrackedAccess access) {
            line("written", access);
        }

        @Override
        public void slotCreated(Memslot slot) {
            lines.add("created " + slot.id());
        }

        @Override
        public void slotFlushed(Memslot slot) {
            lines.add("flushed " + slot.id());
        }
    }

    private void run(long esi, long edi, int... code) {
        guest.code(code);
        guest.set(CpuState.RSI, esi);
        guest.set(CpuState.RDI, edi);
        guest.set(CpuState.RAX, 0x1122_3344);
        guest.set(CpuState.RCX, 3);
        guest.expect(VcpuExit.Hlt.class);
    }

    @Test
    void writesAreToldAfterTheyHaveLanded() {
        tracking.add(slot, GFN, TrackMode.WRITE);
        log.before = () -> assertThat(guest.readLong(PAGE + 8) & 0xffff_ffffL).isEqualTo(0x1122_3344);
        run(PAGE + 8, 0, 0x8b, 0x1e, 0x89, 0x06, 0xf4); // mov ebx, [esi]; mov [esi], eax; hlt
        assertThat(log.lines).containsExactly("written 200008 200008 4 11223344");
        assertThat(guest.vm.statistics().pages4k())
                .as("4-KiB pages in the 2 MiB of the tracked page")
                .isPositive();
    }

    @Test
    void aWriteAcrossPagesIsToldByPartsAndOnlyWhereTracked() {
        tracking.add(slot, GFN, TrackMode.WRITE);
        run(PAGE - 2, 0, 0x89, 0x06, 0xf4);
        run(PAGE + 0xffd, 0, 0x89, 0x06, 0xf4);
        assertThat(log.lines).containsExactly("written 200000 200000 2 1122", "written 200ffd 200ffd 3 223344");
        assertThat(guest.readLong(PAGE - 8) >>> 48).isEqualTo(0x3344);
        assertThat(guest.readLong(PAGE + 0x1000) & 0xff).isEqualTo(0x11);
    }

    @Test
    void stringsAndAtomicsAreEmulatedOneByOne() {
        tracking.add(slot, GFN, TrackMode.WRITE);
        run(0, PAGE + 0xff6, 0xf3, 0xab, 0xf4); // rep stosd
        assertThat(log.lines)
                .containsExactly(
                        "written 200ff6 200ff6 4 11223344",
                        "written 200ffa 200ffa 4 11223344",
                        "written 200ffe 200ffe 2 3344");
        assertThat(guest.get(CpuState.RCX)).isZero();
        log.lines.clear();
        guest.vm.memory().load(PAGE, new byte[] {10, 0, 0, 0});
        run(PAGE, 0, 0xf0, 0x0f, 0xc1, 0x06, 0xf4); // lock xadd [esi], eax
        assertThat(log.lines).containsExactly("written 200000 200000 4 1122334e");
        assertThat(guest.get(CpuState.RAX)).isEqualTo(10);
        log.lines.clear();
        run(PAGE, 0, 0x87, 0x06, 0xf4); // xchg [esi], eax
        assertThat(log.lines).containsExactly("written 200000 200000 4 11223344");
        log.lines.clear();
        // push and call onto a tracked stack
        guest.code(0x50, 0x58, 0xf4);
        guest.set(CpuState.RSP, PAGE + 0x100);
        guest.set(CpuState.RAX, 7);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(log.lines).containsExactly("written 2000fc 2000fc 4 7");
    }

    @Test
    void readsWritesAndFetchesAreToldBeforehand() {
        tracking.add(slot, GFN, TrackMode.PREREAD);
        tracking.add(slot, GFN, TrackMode.PREWRITE);
        tracking.add(slot, GFN, TrackMode.PREEXEC);
        guest.vm.memory().load(PAGE, new byte[] {1, 0, 0, 0});
        run(PAGE, 0, 0x01, 0x06, 0xf4); // add [esi], eax
        assertThat(log.lines).containsExactly("read 200000 200000 4 -", "write 200000 200000 4 11223345");
        log.lines.clear();
        guest.store(PAGE + 0x100, 0x40, 0xc3);
        run(PAGE + 0x100, 0, 0xff, 0xd6, 0xf4);
        assertThat(log.lines).containsExactly("exec 200100 200100 1 -", "exec 200101 200101 1 -");
        log.lines.clear();
        // An instruction whose last bytes are in a tracked page.
        guest.store(PAGE - 2, 0xb8, 0x2a, 0, 0, 0, 0xc3);
        run(PAGE - 2, 0, 0xff, 0xd6, 0xf4);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(0x2a);
        assertThat(log.lines.get(0)).isEqualTo("exec 200000 200000 1 -");
    }

    @Test
    void aTrackerGivesOtherDataThanMemoryHas() {
        tracking.add(slot, GFN, TrackMode.PREREAD);
        guest.vm.memory().load(PAGE, new byte[] {1, 2, 3, 4});
        log.supplied = 0xbbaa;
        log.suppliedBytes = 2;
        run(PAGE, 0, 0x8b, 0x1e, 0xf4);
        assertThat(guest.get(CpuState.RBX)).isEqualTo(0x0403_bbaaL);
    }

    @Test
    void retryExecutesTheInstructionAgain() {
        tracking.add(slot, GFN, TrackMode.PREWRITE);
        log.answer = PageTracker.Answer.RETRY;
        log.before = () -> {
            guest.vcpu.gpr(CpuState.RAX, 0x55);
            tracking.remove(slot, GFN, TrackMode.PREWRITE);
        };
        run(PAGE, 0, 0x89, 0x06, 0xf4);
        assertThat(log.lines).hasSize(1);
        assertThat(guest.readLong(PAGE) & 0xffff_ffffL).isEqualTo(0x55);
    }

    @Test
    void trackingCountsAndEndsWithTheMemslot() {
        tracking.add(slot, GFN, TrackMode.WRITE);
        tracking.add(slot, GFN, TrackMode.WRITE);
        tracking.remove(slot, GFN, TrackMode.WRITE);
        assertThat(tracking.isActive(slot, GFN, TrackMode.WRITE)).isTrue();
        tracking.remove(slot, GFN, TrackMode.WRITE);
        assertThatThrownBy(() -> tracking.remove(slot, GFN, TrackMode.WRITE))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> tracking.add(slot, 1 << 20, TrackMode.WRITE))
                .isInstanceOf(IllegalArgumentException.class);
        run(PAGE, 0, 0x89, 0x06, 0xf4);
        assertThat(log.lines).isEmpty();
        guest.vm.addMemory(5, 0x1000_0000, 0x2000, PageSize.SIZE_4K);
        Memslot other = guest.vm.slots().byId(5);
        tracking.add(other, 0x10001, TrackMode.WRITE);
        guest.vm.setUserMemoryRegion(5, Memslot.LOG_DIRTY_PAGES, 0x1000_0000, 0x2000, other.hva());
        Memslot logged = guest.vm.slots().byId(5);
        assertThat(tracking.isActive(logged, 0x10001, TrackMode.WRITE))
                .as("flags alone")
                .isTrue();
        guest.vm.setUserMemoryRegion(5, 0, 0x1000_0000, 0, 0);
        assertThat(tracking.isActive(logged, 0x10001, TrackMode.WRITE)).isFalse();
        assertThat(log.lines).containsExactly("created 5", "flushed 5");
        tracking.unregister(log);
        guest.vm.addMemory(5, 0x1000_0000, 0x2000, PageSize.SIZE_4K);
        assertThat(log.lines).as("who has left").hasSize(2);
    }

    /** The processor pushes an interrupt frame onto a tracked stack; nothing can be emulated there. */
    @Test
    void deliveredEventsAreToldBeforehandAndAfterwards() {
        guest.code(0xcd, 0x21, 0xf4);
        guest.store(0x1800, 0xcf);
        guest.gate(0x21, 0x1800);
        guest.set(CpuState.RSP, PAGE + 0x80c);
        tracking.add(slot, GFN, TrackMode.WRITE);
        tracking.add(slot, GFN, TrackMode.PREWRITE);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(log.lines.get(0)).startsWith("write 200").endsWith(" -");
        assertThat(log.lines.subList(1, log.lines.size())).allMatch(line -> line.startsWith("written 20080"));
        assertThat(log.lines).hasSize(3);
        assertThat(guest.readLong(PAGE + 0x800) & 0xffff_ffffL).isEqualTo(Guest.CODE + 2);
    }
}
