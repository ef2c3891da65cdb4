package org.vmxsim.testkit;

import java.util.List;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.Radix;
import org.vmxsim.spp.SppOptions;
import org.vmxsim.testkit.table.TableContents;
import org.vmxsim.testkit.table.TableImage;
import org.vmxsim.testkit.value.GuestAccess;
import org.vmxsim.testkit.value.GuestAccess.Piece;
import org.vmxsim.testkit.value.SubPageBitmap;
import org.vmxsim.vmx.ept.EptCapabilities;
import org.vmxsim.vmx.ept.EptOutcome;
import org.vmxsim.vmx.ept.Eptp;
import org.vmxsim.vmx.walk.WalkMachine;

/**
 * The hardware's permission check alone: memory, EPT, SPPT and the walkers, without processor and hypervisor. Made in
 * microseconds, so that a property may make a new one for each try.
 *
 * <pre>{@code
 * PermissionMachine machine = PermissionMachine.create().map(0x200, 2);
 * machine.protect(0x200, new SubPageBitmap(~2));
 * machine.access(GuestAccess.write(0x20_0080, 4)).allowed(); // false
 * }</pre>
 */
public final class PermissionMachine {
    private static final long FIRST_FRAME = 1L << 32;

    private final WalkMachine walks;
    private long nextFrame = FIRST_FRAME;

    private PermissionMachine(boolean executeOnly) {
        walks = new WalkMachine(
                PhysicalMemory.sparse(1L << TableContents.WIDTH_BITS),
                capabilities(executeOnly),
                SppOptions.DEFAULT,
                Radix.PML4);
    }

    private static EptCapabilities capabilities(boolean executeOnly) {
        EptCapabilities all = EptCapabilities.ALL;
        return EptCapabilities.of(
                executeOnly ? all.eptVpidCap() : all.eptVpidCap() & ~1,
                all.secondaryControls(),
                TableContents.WIDTH_BITS);
    }

    /**
     * A machine that maps nothing.
     *
     * @return the machine
     */
    public static PermissionMachine create() {
        return new PermissionMachine(true);
    }

    /**
     * A machine with given tables, however wrong.
     *
     * @param contents what EPT and SPPT hold
     * @param image the same, laid out
     * @return the machine
     */
    public static PermissionMachine of(TableContents contents, TableImage image) {
        PermissionMachine machine = new PermissionMachine(contents.executeOnly());
        image.words().forEach(machine.walks.memory()::writeLong);
        machine.walks.controls().eptp(Eptp.of(image.eptRoot(), Radix.PML4, false));
        machine.walks.controls().spptp = image.spptRoot();
        machine.walks.controls().subPageWrite = contents.subPageWrite();
        return machine;
    }

    /**
     * Maps consecutive 4-KiB pages to fresh frames, readable, writable and executable.
     *
     * @param gfn first guest frame
     * @param npages how many
     * @return this
     */
    public PermissionMachine map(long gfn, int npages) {
        for (long page = gfn; page < gfn + npages; page++) {
            walks.map(page << 12, nextFrame, AccessContext.R | AccessContext.W | AccessContext.X);
            nextFrame += 4096;
        }
        return this;
    }

    /**
     * Makes a mapped page sub-page protected; also again, with another bitmap.
     *
     * @param gfn guest frame
     * @param bitmap which sub-pages may be written
     * @return this
     * @throws IllegalArgumentException if the page is not mapped
     */
    public PermissionMachine protect(long gfn, SubPageBitmap bitmap) {
        if (walks.access(gfn << 12, AccessContext.READ) != EptOutcome.TRANSLATED) {
            throw new IllegalArgumentException("need a mapped page, got gfn=0x" + Long.toHexString(gfn));
        }
        walks.protect(gfn << 12, bitmap.bits());
        return this;
    }

    /**
     * Makes an access: element by element, each only if all its pieces may.
     *
     * @param access the access
     * @return how it ended
     */
    public Verdict access(GuestAccess access) {
        for (int element = 0; element < access.count(); element++) {
            List<Piece> pieces = access.pieces(element);
            for (Piece piece : pieces) {
                EptOutcome outcome = ask(piece, access.kind());
                if (outcome != EptOutcome.TRANSLATED) {
                    return new Verdict(outcome, piece.gpa(), element);
                }
            }
        }
        return new Verdict(EptOutcome.TRANSLATED, -1, access.count());
    }

    /**
     * Asks for one piece of an access.
     *
     * @param piece bytes in one page
     * @param kind what is done with them
     * @return how it ends; details are in {@link #walks()}
     */
    public EptOutcome ask(Piece piece, GuestAccess.Kind kind) {
        return walks.access(piece.gpa(), bits(kind), piece.sizeBytes());
    }

    private static int bits(GuestAccess.Kind kind) {
        return switch (kind) {
            case READ, STRING_READ -> AccessContext.READ;
            case WRITE, STRING_WRITE -> AccessContext.WRITE;
            case FETCH -> AccessContext.FETCH;
            case ATOMIC -> AccessContext.READ | AccessContext.WRITE | AccessContext.LOCKED;
        };
    }

    /**
     * The machine below, for everything that has no short form here.
     *
     * @return memory, tables and walkers
     */
    public WalkMachine walks() {
        return walks;
    }
}
