package org.vmxsim.vmx.entry;

import static org.vmxsim.vmx.entry.EntryRule.rule;

import java.util.List;
import org.vmxsim.vmx.vmcs.GuestField;

/** SDM "Checks on Guest Segment Registers", in its order; a broken rule is exit 33 with qualification 0. */
public final class GuestSegmentRules {
    private static final long TI = 4;
    private static final long RPL = 3;
    private static final long UNUSABLE = 1 << 16;
    private static final long S = 1 << 4;
    private static final long P = 1 << 7;
    private static final long L = 1 << 13;
    private static final long DB = 1 << 14;
    private static final long G = 1 << 15;
    private static final long RESERVED = 0xf00 | ~0x1ffffL;
    private static final long VIRTUAL_8086_RIGHTS = 0xf3;

    /** Selector, base, limit and access rights of one segment register. */
    private record Segment(GuestField selector, GuestField base, GuestField limit, GuestField rights) {
        boolean usable(EntryFields f) {
            return (f.get(rights) & UNUSABLE) == 0;
        }

        int type(EntryFields f) {
            return (int) f.get(rights) & 15;
        }

        int dpl(EntryFields f) {
            return (int) f.get(rights) >>> 5 & 3;
        }

        boolean has(EntryFields f, long bit) {
            return (f.get(rights) & bit) != 0;
        }

        /** "If any bit in the limit 11:0 is 0, G must be 0; if any bit in the limit 31:20 is 1, G must be 1". */
        boolean granularityAgrees(EntryFields f) {
            long bytes = f.get(limit);
            boolean big = has(f, G);
            return ((bytes & 0xfff) == 0xfff || !big) && (bytes >>> 20 == 0 || big);
        }

        boolean isPresentAndClean(EntryFields f) {
            return has(f, P) && (f.get(rights) & RESERVED) == 0;
        }
    }

    private static final Segment ES =
            new Segment(GuestField.ES_SELECTOR, GuestField.ES_BASE, GuestField.ES_LIMIT, GuestField.ES_ACCESS_RIGHTS);
    private static final Segment CS =
            new Segment(GuestField.CS_SELECTOR, GuestField.CS_BASE, GuestField.CS_LIMIT, GuestField.CS_ACCESS_RIGHTS);
    private static final Segment SS =
            new Segment(GuestField.SS_SELECTOR, GuestField.SS_BASE, GuestField.SS_LIMIT, GuestField.SS_ACCESS_RIGHTS);
    private static final Segment DS =
            new Segment(GuestField.DS_SELECTOR, GuestField.DS_BASE, GuestField.DS_LIMIT, GuestField.DS_ACCESS_RIGHTS);
    private static final Segment FS =
            new Segment(GuestField.FS_SELECTOR, GuestField.FS_BASE, GuestField.FS_LIMIT, GuestField.FS_ACCESS_RIGHTS);
    private static final Segment GS =
            new Segment(GuestField.GS_SELECTOR, GuestField.GS_BASE, GuestField.GS_LIMIT, GuestField.GS_ACCESS_RIGHTS);
    private static final Segment LDTR = new Segment(
            GuestField.LDTR_SELECTOR, GuestField.LDTR_BASE, GuestField.LDTR_LIMIT, GuestField.LDTR_ACCESS_RIGHTS);
    private static final Segment TR =
            new Segment(GuestField.TR_SELECTOR, GuestField.TR_BASE, GuestField.TR_LIMIT, GuestField.TR_ACCESS_RIGHTS);
    private static final List<Segment> CODE_AND_DATA = List.of(CS, SS, DS, ES, FS, GS);
    private static final List<Segment> DATA = List.of(DS, ES, FS, GS);

    /** The rules in the order of the checks. */
    public static final List<EntryRule> RULES = List.of(
            rule("TR selector: TI 0", f -> (f.get(TR.selector) & TI) == 0),
            rule("LDTR selector: TI 0 if usable", f -> !LDTR.usable(f) || (f.get(LDTR.selector) & TI) == 0),
            rule(
                    "SS selector: RPL that of CS",
                    f -> f.virtual8086 || f.unrestricted || ((f.get(SS.selector) ^ f.get(CS.selector)) & RPL) == 0),
            rule("virtual-8086: bases, limits and access rights", f -> !f.virtual8086 || allVirtual8086(f)),
            rule(
                    "TR, FS, GS and usable LDTR bases are canonical",
                    f -> f.isCanonical(TR.base)
                            && f.isCanonical(FS.base)
                            && f.isCanonical(GS.base)
                            && (!LDTR.usable(f) || f.isCanonical(LDTR.base))),
            rule(
                    "CS base, and usable SS, DS, ES bases, have 32 bits",
                    f -> f.get(CS.base) >>> 32 == 0 && isNarrow(f, SS) && isNarrow(f, DS) && isNarrow(f, ES)),
            rule("CS type", f -> f.virtual8086 || codeType(f)),
            rule("SS type", f -> f.virtual8086 || !SS.usable(f) || SS.type(f) == 3 || SS.type(f) == 7),
            rule("DS, ES, FS, GS types", f -> f.virtual8086 || allReadable(f)),
            rule("code and data segments have S 1", f -> f.virtual8086 || allHaveS(f)),
            rule("CS DPL", f -> f.virtual8086 || codePrivilege(f)),
            rule("SS DPL", f -> f.virtual8086 || stackPrivilege(f)),
            rule("DS, ES, FS, GS DPL", f -> f.virtual8086 || f.unrestricted || allDataPrivileges(f)),
            rule("code and data segments are present, reserved bits 0", f -> f.virtual8086 || allPresent(f)),
            rule(
                    "CS: L excludes D/B in IA-32e mode",
                    f -> f.virtual8086 || !f.ia32eGuest || !CS.has(f, L) || !CS.has(f, DB)),
            rule("code and data segments: limit and granularity", f -> f.virtual8086 || allGranularitiesAgree(f)),
            rule("TR type", f -> TR.type(f) == 11 || TR.type(f) == 3 && !f.ia32eGuest),
            rule(
                    "TR: usable system segment, present, limit and granularity",
                    f -> TR.usable(f) && isSystemSegment(f, TR)),
            rule(
                    "LDTR: if usable an LDT, present, limit and granularity",
                    f -> !LDTR.usable(f) || LDTR.type(f) == 2 && isSystemSegment(f, LDTR)));

    private GuestSegmentRules() {}

    private static boolean isNarrow(EntryFields f, Segment segment) {
        return !segment.usable(f) || f.get(segment.base) >>> 32 == 0;
    }

    private static boolean allVirtual8086(EntryFields f) {
        for (int i = 0; i < CODE_AND_DATA.size(); i++) {
            Segment segment = CODE_AND_DATA.get(i);
            boolean holds = f.get(segment.base) == f.get(segment.selector) << 4
                    && f.get(segment.limit) == 0xffff
                    && f.get(segment.rights) == VIRTUAL_8086_RIGHTS;
            if (!holds) {
                return false;
            }
        }
        return true;
    }

    /** Accessed code; for unrestricted guests also read/write accessed data. */
    private static boolean codeType(EntryFields f) {
        int type = CS.type(f);
        return (type & 9) == 9 || f.unrestricted && type == 3;
    }

    private static boolean allReadable(EntryFields f) {
        for (int i = 0; i < DATA.size(); i++) {
            int type = DATA.get(i).type(f);
            boolean accessed = (type & 1) != 0;
            boolean executeOnly = (type & 8) != 0 && (type & 2) == 0;
            if (DATA.get(i).usable(f) && (!accessed || executeOnly)) {
                return false;
            }
        }
        return true;
    }

    private static boolean allHaveS(EntryFields f) {
        for (int i = 0; i < CODE_AND_DATA.size(); i++) {
            Segment segment = CODE_AND_DATA.get(i);
            if ((segment == CS || segment.usable(f)) && !segment.has(f, S)) {
                return false;
            }
        }
        return true;
    }

    private static boolean codePrivilege(EntryFields f) {
        return switch (CS.type(f)) {
            case 3 -> CS.dpl(f) == 0;
            case 9, 11 -> CS.dpl(f) == SS.dpl(f);
            case 13, 15 -> CS.dpl(f) <= SS.dpl(f);
            default -> throw new AssertionError("CS type is checked before: " + CS.type(f));
        };
    }

    private static boolean stackPrivilege(EntryFields f) {
        boolean rplAgrees = f.unrestricted || SS.dpl(f) == (f.get(SS.selector) & RPL);
        boolean mustBeZero = CS.type(f) == 3 || (f.cr0 & 1) == 0;
        return rplAgrees && (!mustBeZero || SS.dpl(f) == 0);
    }

    private static boolean allDataPrivileges(EntryFields f) {
        for (int i = 0; i < DATA.size(); i++) {
            Segment segment = DATA.get(i);
            boolean checked = segment.usable(f) && segment.type(f) <= 11;
            if (checked && segment.dpl(f) < (f.get(segment.selector) & RPL)) {
                return false;
            }
        }
        return true;
    }

    private static boolean allPresent(EntryFields f) {
        for (int i = 0; i < CODE_AND_DATA.size(); i++) {
            Segment segment = CODE_AND_DATA.get(i);
            if ((segment == CS || segment.usable(f)) && !segment.isPresentAndClean(f)) {
                return false;
            }
        }
        return true;
    }

    private static boolean allGranularitiesAgree(EntryFields f) {
        for (int i = 0; i < CODE_AND_DATA.size(); i++) {
            Segment segment = CODE_AND_DATA.get(i);
            if ((segment == CS || segment.usable(f)) && !segment.granularityAgrees(f)) {
                return false;
            }
        }
        return true;
    }

    private static boolean isSystemSegment(EntryFields f, Segment segment) {
        return !segment.has(f, S) && segment.isPresentAndClean(f) && segment.granularityAgrees(f);
    }
}
