package org.vmxsim.core.vectors;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.GuestPagingWalker;
import org.vmxsim.core.paging.LinearTranslation;
import org.vmxsim.core.paging.PagingControls;
import org.vmxsim.core.time.TableMemory;

@DisplayName("The page walker against recorded ring-0 scenarios: SDM \"Determination of Access Rights\"")
class RecordedPagingTest {
    private static final long TABLES = 0x2000;
    private static final long TARGET = 0x100_0000;
    private static final long PAGING = 0x8000_0001L;
    private static final int RSVD = 8;

    private final PhysicalMemory memory = PhysicalMemory.sparse(64 << 20);
    private final PagingControls controls = new PagingControls(46, true);
    private final GuestPagingWalker walker = new GuestPagingWalker(new TableMemory(memory), controls);
    private final LinearTranslation translation = new LinearTranslation();
    private final long[] places = new long[5];
    private RecordedCase recorded;
    private long faultAddress;

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"P", "K", "L"})
    @DisplayName("P explicit accesses, K pushes of an interrupt, L segment load: outcome, error code, A and D flags")
    void walksAsRecorded(String kind) {
        List<RecordedCase> cases = RecordedCase.ofKinds(kind);
        assertThat(cases).hasSizeGreaterThan(400);
        for (RecordedCase each : cases) {
            recorded = each;
            build();
            long error = perform();
            assertThat(error).as(each.toString()).isEqualTo(expectedError());
            if (error < 0) {
                assertThat(accessedAndDirty()).as(each.toString()).isEqualTo(each.seen("ad"));
            } else if (kind.equals("P")) {
                assertThat(faultAddress).as(each.toString()).isEqualTo(each.seen("cr2"));
            }
            destroy();
        }
    }

    /** Error code of the recorded page fault, or -1. What QEMU gets wrong is not recorded: P together with RSVD. */
    private long expectedError() {
        return recorded.seen("v") == 14 ? recorded.seen("e") : -1;
    }

    private long perform() {
        long gva = recorded.given("gva");
        boolean user = recorded.given("cpl") == 3;
        return switch (recorded.kind()) {
            case 'P' -> {
                int op = (int) recorded.given("op");
                int access = op < 4 ? AccessContext.READ : op < 8 ? AccessContext.WRITE : AccessContext.FETCH;
                int override = recorded.given("ac") == 1 ? GuestPagingWalker.SMAP_OVERRIDE : 0;
                yield access(gva, op == 8 ? 2 : 1 << (op & 3), access | (user ? AccessContext.USER : override));
            }
            case 'K' -> access((gva & ~15L) - 8, 8, AccessContext.WRITE);
            default -> {
                long error = access(gva, 8, AccessContext.READ);
                boolean setsAccessed = error < 0 && storedAccessedFlag();
                yield setsAccessed ? access(gva, 8, AccessContext.WRITE) : error;
            }
        };
    }

    /** Whether the descriptor's accessed flag was clear: then the dirty flag or a refused write shows the store. */
    private boolean storedAccessedFlag() {
        boolean dirtyBefore = (recorded.entries().get(leafIndex()) >>> 6 & 1) != 0;
        boolean dirtyAfter =
                recorded.seen("v") == RecordedCase.DONE && (recorded.seen("ad") >>> 4 * leafIndex() & 2) != 0;
        return recorded.seen("des") == 0xf2 || dirtyAfter && !dirtyBefore;
    }

    private long access(long gva, int sizeBytes, int access) {
        int head = Math.min(sizeBytes, 0x1000 - (int) (gva & 0xfff));
        long error = walk(gva, head, access);
        return error < 0 && head < sizeBytes ? walk(gva + head, sizeBytes - head, access) : error;
    }

    private long walk(long gva, int sizeBytes, int access) {
        if (walker.walk(gva, sizeBytes, access, translation) == LinearTranslation.OK) {
            assertThat(translation.hpa & 0xfff).isEqualTo(gva & 0xfff);
            assertThat(translation.hpa).isBetween(TARGET, TARGET + (2 << 20));
            return -1;
        }
        faultAddress = gva;
        int error = translation.errorCode;
        return (error & RSVD) != 0 ? error & ~1 : error;
    }

    private int large() {
        return (int) recorded.given("map");
    }

    private int leafIndex() {
        return 3 - large();
    }

    private void build() {
        boolean user = recorded.kind() == 'P';
        long cr0 = PAGING | recorded.given("wp") << 16;
        long cr4 = 1 << 5 | recorded.given("cr4") << 20;
        long efer = 0x500 | recorded.given("nxe") << 11;
        controls.set(cr0, TABLES, cr4, efer, new long[4]);
        assertThat(user || recorded.given("nxe") == 1).isTrue();
        List<Long> printed = recorded.entries();
        for (int i = 0; i < printed.size(); i++) {
            int level = i < 4 ? 4 - i : 1;
            long index = (recorded.given("gva") >>> 3 + 9 * level) & 511;
            places[i] = TABLES + Math.min(i, 3) * 0x1000L + 8 * index + (i == 4 ? 8 : 0);
            memory.writeLong(places[i], entry(printed.get(i), i));
        }
    }

    private long entry(long printed, int i) {
        long flags = printed & 0xfff | printed >>> 12 << 63 | (printed >>> 13 & 1) << 51 | (printed >>> 14 & 1) << 13;
        if (i < leafIndex()) {
            return flags | TABLES + (i + 1) * 0x1000L;
        }
        return flags | (large() == 2 ? 0 : TARGET + (i == 4 ? 0x1000 : 0));
    }

    private long accessedAndDirty() {
        long bits = 0;
        for (int i = 0; i < recorded.entries().size(); i++) {
            bits |= (memory.readLong(places[i]) >>> 5 & 3) << 4 * i;
        }
        return bits;
    }

    private void destroy() {
        for (int i = 0; i < recorded.entries().size(); i++) {
            memory.writeLong(places[i], 0);
        }
    }
}
