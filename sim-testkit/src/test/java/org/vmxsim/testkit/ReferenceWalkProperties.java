package org.vmxsim.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.domains.Domain;
import net.jqwik.api.domains.DomainContext;
import net.jqwik.api.statistics.Statistics;
import net.jqwik.api.statistics.StatisticsReport;
import net.jqwik.api.statistics.StatisticsReport.StatisticsReportMode;
import org.vmxsim.testkit.reference.ReferenceWalk;
import org.vmxsim.testkit.reference.WalkAnswer;
import org.vmxsim.testkit.table.TableContents;
import org.vmxsim.testkit.table.TableImage;
import org.vmxsim.testkit.value.GuestAccess;
import org.vmxsim.testkit.value.GuestAccess.Kind;
import org.vmxsim.testkit.value.GuestAccess.Piece;
import org.vmxsim.testkit.value.SubPageBitmap;
import org.vmxsim.vmx.ept.EptOutcome;

/** The hardware's walk against the one written from the manual, on the same tables. */
@Domain(VmxsimDomain.class)
@Domain(DomainContext.Global.class)
class ReferenceWalkProperties {
    /** About the page of one of the paths; -1 stands for a page that may not be there. */
    record Question(int path, int offset, int sizeBytes, Kind kind) {
        Piece piece(TableContents contents) {
            long gpa = path < 0
                    ? 0x1000
                    : contents.ept().get(path % contents.ept().size()).gpa();
            return new Piece(gpa + offset, Math.min(sizeBytes, 4096 - offset));
        }
    }

    @Provide
    Arbitrary<Question> questions() {
        Arbitrary<Integer> offsets = Arbitraries.oneOf(
                Arbitraries.integers().between(0, 4095),
                Arbitraries.of(0, 127, 128, 120, 4032, 4095, 2047).map(offset -> offset));
        return Combinators.combine(
                        Arbitraries.integers().between(-1, 9),
                        offsets,
                        Arbitraries.integers().between(1, 64),
                        Arbitraries.frequency(
                                Tuple.of(4, Kind.WRITE),
                                Tuple.of(1, Kind.READ),
                                Tuple.of(1, Kind.FETCH),
                                Tuple.of(1, Kind.ATOMIC)))
                .as(Question::new)
                .withoutEdgeCases();
    }

    @Property(tries = 2000)
    @StatisticsReport(StatisticsReportMode.OFF)
    void bothWalksEndAlike(@ForAll TableContents contents, @ForAll List<@From("questions") Question> questions) {
        TableImage image = contents.image();
        PermissionMachine machine = PermissionMachine.of(contents, image);
        ReferenceWalk reference = new ReferenceWalk(contents, image);
        for (Question question : questions) {
            Piece piece = question.piece(contents);
            WalkAnswer expected = reference.ask(piece, question.kind);
            EptOutcome outcome = machine.ask(piece, question.kind);
            Statistics.collect(expected.end());
            assertThat(name(outcome))
                    .as("%s", question)
                    .isEqualTo(expected.end().name());
            if (outcome == EptOutcome.TRANSLATED) {
                assertThat(machine.walks().context().hpa).isEqualTo(expected.hpa());
                assertThat(machine.walks().context().permissions & 7).isEqualTo(expected.rights());
            } else if (outcome == EptOutcome.VIOLATION) {
                long qualification = machine.walks().translator().exit().qualification;
                assertThat(qualification >>> 3 & 7).isEqualTo(expected.rights());
                assertThat(qualification & 7).isEqualTo(reported(question.kind));
                assertThat(qualification >>> 7 & 3).isEqualTo(3);
            } else if (outcome != EptOutcome.MISCONFIGURATION) {
                assertThat(machine.walks().translator().exit().qualification)
                        .isEqualTo(expected.end() == WalkAnswer.End.SPP_MISS ? 0x800 : 0);
            }
        }
        Statistics.coverage(ends -> {
            for (WalkAnswer.End end : WalkAnswer.End.values()) {
                ends.check(end).percentage(share -> share > 1);
            }
        });
    }

    private static int reported(Kind kind) {
        return switch (kind) {
            case READ, STRING_READ -> 1;
            case WRITE, ATOMIC, STRING_WRITE -> 2;
            case FETCH -> 4;
        };
    }

    private static String name(EptOutcome outcome) {
        return switch (outcome) {
            case TRANSLATED -> "ALLOWED";
            case VIOLATION -> "EPT_VIOLATION";
            case MISCONFIGURATION -> "EPT_MISCONFIGURATION";
            case SPP_MISS -> "SPP_MISS";
            case SPP_MISCONFIGURATION -> "SPP_MISCONFIGURATION";
            case PML_FULL, VIRTUALIZATION_EXCEPTION -> throw new AssertionError(outcome);
        };
    }

    /** A write to a protected page, by plain bitmap: the kit's short forms do what they say. */
    @Property(tries = 500)
    void theShortFormsDecideByTheBitmap(
            @ForAll GuestAccess access, @ForAll("bitmapLists") List<SubPageBitmap> bitmaps) {
        PermissionMachine machine = PermissionMachine.create().map(VmxsimDomain.FIRST_GFN, VmxsimDomain.PAGES);
        for (int i = 0; i < bitmaps.size(); i++) {
            machine.protect(VmxsimDomain.FIRST_GFN + i, bitmaps.get(i));
        }
        Verdict verdict = machine.access(access);
        long first = -1;
        for (int element = 0;
                element < access.count() && first < 0 && access.kind().writes();
                element++) {
            for (Piece piece : access.pieces(element)) {
                var bitmap = bitmaps.get((int) (piece.gfn() - VmxsimDomain.FIRST_GFN));
                first = first < 0 && !bitmap.allows(piece.offset(), piece.sizeBytes()) ? piece.gpa() : first;
            }
        }
        assertThat(verdict.gpa()).isEqualTo(first);
        assertThat(verdict.allowed()).isEqualTo(first < 0);
    }

    @Provide
    Arbitrary<List<SubPageBitmap>> bitmapLists() {
        return SubPageArbitraries.bitmaps().list().ofSize(VmxsimDomain.PAGES).withoutEdgeCases();
    }
}
