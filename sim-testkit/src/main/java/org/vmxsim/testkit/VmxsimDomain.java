package org.vmxsim.testkit;

import net.jqwik.api.Arbitrary;
import net.jqwik.api.Provide;
import net.jqwik.api.domains.DomainContextBase;
import org.vmxsim.testkit.table.EptPath;
import org.vmxsim.testkit.table.SpptPath;
import org.vmxsim.testkit.table.TableContents;
import org.vmxsim.testkit.value.GuestAccess;
import org.vmxsim.testkit.value.MemoryLayout;
import org.vmxsim.testkit.value.PermissionOperation;
import org.vmxsim.testkit.value.SubPageBitmap;
import org.vmxsim.testkit.value.SubPageVector;

/**
 * The kit's types as parameters of a property: {@code @Domain(VmxsimDomain.class)} on the class, then {@code @ForAll
 * SubPageBitmap bitmap} and so on. For {@code int} and the like beside them add
 * {@code @Domain(DomainContext.Global.class)}.
 *
 * <p>Accesses, operations and layouts are about the pages from {@link #FIRST_GFN}; the factories
 * ({@link AccessArbitraries}, ...) take a range of one's own.
 */
public class VmxsimDomain extends DomainContextBase {
    /** First guest frame of accesses, operations and layouts. */
    public static final long FIRST_GFN = 0x200;
    /** How many pages accesses and operations are about. */
    public static final int PAGES = 4;

    /** Used by jqwik. */
    public VmxsimDomain() {}

    /**
     * Bitmaps.
     *
     * @return {@link SubPageArbitraries#bitmaps()}
     */
    @Provide
    public Arbitrary<SubPageBitmap> bitmaps() {
        return SubPageArbitraries.bitmaps();
    }

    /**
     * Vectors, legal and not.
     *
     * @return {@link SubPageArbitraries#vectors()}
     */
    @Provide
    public Arbitrary<SubPageVector> vectors() {
        return SubPageArbitraries.vectors();
    }

    /**
     * Accesses.
     *
     * @return {@link AccessArbitraries#accesses} for {@link #PAGES} pages from {@link #FIRST_GFN}
     */
    @Provide
    public Arbitrary<GuestAccess> accesses() {
        return AccessArbitraries.accesses(FIRST_GFN << 12, PAGES << 12);
    }

    /**
     * Operations.
     *
     * @return {@link OperationArbitraries#operations} for {@link #PAGES} pages from {@link #FIRST_GFN}
     */
    @Provide
    public Arbitrary<PermissionOperation> operations() {
        return OperationArbitraries.operations(FIRST_GFN, PAGES);
    }

    /**
     * Layouts.
     *
     * @return {@link LayoutArbitraries#layouts} from {@link #FIRST_GFN}
     */
    @Provide
    public Arbitrary<MemoryLayout> layouts() {
        return LayoutArbitraries.layouts(FIRST_GFN);
    }

    /**
     * Paths of the EPT.
     *
     * @return {@link TableArbitraries#eptPaths()}
     */
    @Provide
    public Arbitrary<EptPath> eptPaths() {
        return TableArbitraries.eptPaths();
    }

    /**
     * Paths of the SPPT.
     *
     * @return {@link TableArbitraries#spptPaths()}
     */
    @Provide
    public Arbitrary<SpptPath> spptPaths() {
        return TableArbitraries.spptPaths();
    }

    /**
     * Tables.
     *
     * @return {@link TableArbitraries#contents()}
     */
    @Provide
    public Arbitrary<TableContents> contents() {
        return TableArbitraries.contents();
    }
}
