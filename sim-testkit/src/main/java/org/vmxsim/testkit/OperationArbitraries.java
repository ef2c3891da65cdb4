package org.vmxsim.testkit;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;
import org.vmxsim.testkit.value.PermissionOperation;

/**
 * Sequences of what the owner of a virtual machine and its guest do to a range of pages. They shrink towards few
 * operations on the first page.
 */
public final class OperationArbitraries {
    private OperationArbitraries() {}

    /**
     * Single operations: accesses and {@link #calls}.
     *
     * @param firstGfn first guest frame of the range
     * @param npages size of the range
     * @return an arbitrary of operations
     */
    public static Arbitrary<PermissionOperation> operations(long firstGfn, int npages) {
        Arbitrary<PermissionOperation> touches =
                AccessArbitraries.accesses(firstGfn << 12, npages << 12).map(PermissionOperation.Touch::new);
        return Arbitraries.frequencyOf(Tuple.of(1, touches), Tuple.of(1, calls(firstGfn, npages)));
    }

    /**
     * Calls of the owner; they may reach up to two pages beyond the range, so that errors happen too.
     *
     * @param firstGfn first guest frame of the range
     * @param npages size of the range
     * @return an arbitrary of operations without accesses
     */
    public static Arbitrary<PermissionOperation> calls(long firstGfn, int npages) {
        Arbitrary<Long> frames = Arbitraries.longs().between(firstGfn, firstGfn + npages - 1);
        Arbitrary<PermissionOperation> sets = Combinators.combine(
                        frames, SubPageArbitraries.bitmaps().list().ofMinSize(1).ofMaxSize(3))
                .as(PermissionOperation.Set::new);
        Arbitrary<PermissionOperation> gets = Combinators.combine(
                        frames, Arbitraries.integers().between(1, 3))
                .as(PermissionOperation.Get::new);
        return Arbitraries.frequencyOf(
                Tuple.of(4, sets), Tuple.of(1, gets), Tuple.of(1, Arbitraries.just(new PermissionOperation.Enable())));
    }

    /**
     * Sequences of operations.
     *
     * @param firstGfn first guest frame of the range
     * @param npages size of the range
     * @return an arbitrary of sequences of up to 30 operations
     */
    public static Arbitrary<List<PermissionOperation>> sequences(long firstGfn, int npages) {
        return operations(firstGfn, npages).list().ofMinSize(1).ofMaxSize(30);
    }
}
