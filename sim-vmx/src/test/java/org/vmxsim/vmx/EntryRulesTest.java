package org.vmxsim.vmx;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.vmx.control.EntryControls;
import org.vmxsim.vmx.control.ExitControls;
import org.vmxsim.vmx.control.PinControls;
import org.vmxsim.vmx.control.PrimaryControls;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.entry.EntryRule;
import org.vmxsim.vmx.entry.ExecutionControlRules;
import org.vmxsim.vmx.entry.GuestActivityRules;
import org.vmxsim.vmx.entry.GuestRegisterRules;
import org.vmxsim.vmx.entry.GuestSegmentRules;
import org.vmxsim.vmx.entry.TransitionControlRules;
import org.vmxsim.vmx.exit.ExitReason;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.ExitField;
import org.vmxsim.vmx.vmcs.GuestField;

/** One field of a good VMCS is broken at a time: the rule that refuses it, and how. */
class EntryRulesTest {
    private static final long MISALIGNED = 0x3_0800;
    private static final long BEYOND_WIDTH = 1L << 52;
    private static final long NON_CANONICAL = 1L << 60;
    private static final int VALID = 1 << 31;
    private static final int NMI = 2 << 8 | 2 | VALID;
    private static final int EXCEPTION = 3 << 8 | VALID;
    private static final int ERROR_CODE = 1 << 11;

    private record Case(String rule, Consumer<GuestFixture> change) {
        @Override
        public String toString() {
            return rule;
        }
    }

    private static Case of(String rule, Consumer<GuestFixture> change) {
        return new Case(rule, change);
    }

    private static Case field(String rule, org.vmxsim.vmx.vmcs.VmcsField field, long value) {
        return new Case(rule, g -> g.write(field, value));
    }

    private static Case secondary(String rule, int control, ControlField field, long value) {
        return new Case(
                rule,
                g -> g.add(ControlField.SECONDARY_PROCESSOR_CONTROLS, control).write(field, value));
    }

    private static void withoutEpt(GuestFixture g, int control) {
        g.remove(
                ControlField.SECONDARY_PROCESSOR_CONTROLS,
                SecondaryControls.EPT | SecondaryControls.UNRESTRICTED_GUEST);
        g.add(ControlField.SECONDARY_PROCESSOR_CONTROLS, control);
    }

    static Stream<Case> executionControls() {
        ControlField primary = ControlField.PRIMARY_PROCESSOR_CONTROLS;
        return Stream.of(
                field("reserved pin-based controls", ControlField.PIN_CONTROLS, 0),
                of("reserved primary controls", g -> g.add(primary, 1)),
                of("reserved primary controls", g -> g.add(primary, PrimaryControls.TPR_SHADOW)),
                of("reserved secondary controls", g -> g.add(ControlField.SECONDARY_PROCESSOR_CONTROLS, 1)),
                field("CR3-target count at most 4", ControlField.CR3_TARGET_COUNT, 5),
                of(
                        "I/O bitmaps are pages",
                        g -> g.add(primary, PrimaryControls.IO_BITMAPS)
                                .write(ControlField.IO_BITMAP_B_ADDRESS, MISALIGNED)),
                of(
                        "MSR bitmaps are a page",
                        g -> g.add(primary, PrimaryControls.MSR_BITMAPS)
                                .write(ControlField.MSR_BITMAPS_ADDRESS, BEYOND_WIDTH)),
                of("virtual NMIs need NMI exiting", g -> g.add(ControlField.PIN_CONTROLS, PinControls.VIRTUAL_NMIS)),
                of("NMI-window exiting needs virtual NMIs", g -> g.add(primary, PrimaryControls.NMI_WINDOW_EXITING)),
                field("VPID is not 0", ControlField.VPID, 0),
                field("EPT pointer is valid", ControlField.EPT_POINTER, GuestFixture.EPT_ROOT | 6),
                field("EPT pointer is valid", ControlField.EPT_POINTER, GuestFixture.EPT_ROOT | 0x1e | 1 << 7),
                secondary("PML needs EPT and a page", SecondaryControls.PML, ControlField.PML_ADDRESS, MISALIGNED),
                of("PML needs EPT and a page", g -> withoutEpt(g, SecondaryControls.PML)),
                of("unrestricted guest needs EPT", g -> withoutEpt(g, SecondaryControls.UNRESTRICTED_GUEST)),
                of("mode-based execute control needs EPT", g -> withoutEpt(g, SecondaryControls.MODE_BASED_EXECUTE)),
                of("sub-page write permissions need EPT", g -> withoutEpt(g, SecondaryControls.SUB_PAGE_WRITE)),
                secondary(
                        "SPPTP is a page",
                        SecondaryControls.SUB_PAGE_WRITE,
                        ControlField.SUB_PAGE_PERMISSION_TABLE_POINTER,
                        0x1800),
                secondary(
                        "SPPTP is a page",
                        SecondaryControls.SUB_PAGE_WRITE,
                        ControlField.SUB_PAGE_PERMISSION_TABLE_POINTER,
                        BEYOND_WIDTH),
                secondary(
                        "VM functions are supported and their fields valid",
                        SecondaryControls.VM_FUNCTIONS,
                        ControlField.VM_FUNCTION_CONTROLS,
                        2),
                secondary(
                        "#VE information is a page",
                        SecondaryControls.EPT_VIOLATION_VE,
                        ControlField.VIRTUALIZATION_EXCEPTION_INFORMATION_ADDRESS,
                        MISALIGNED),
                secondary("TSC multiplier is not 0", SecondaryControls.TSC_SCALING, ControlField.TSC_MULTIPLIER, 0));
    }

    private static Case injection(String rule, int information) {
        return field(rule, ControlField.ENTRY_INTERRUPTION_INFORMATION, information);
    }

    static Stream<Case> transitionControls() {
        String codes = "injected event: error code exactly where delivered";
        return Stream.of(
                field("reserved VM-exit controls", ControlField.EXIT_CONTROLS, 0),
                of(
                        "saving the VMX-preemption timer needs the timer",
                        g -> g.add(ControlField.EXIT_CONTROLS, ExitControls.SAVE_PREEMPTION_TIMER)),
                of(
                        "VM-exit MSR-store list",
                        g -> g.write(ControlField.EXIT_MSR_STORE_COUNT, 1)
                                .write(ControlField.EXIT_MSR_STORE_ADDRESS, 8)),
                of(
                        "VM-exit MSR-load list",
                        g -> g.write(ControlField.EXIT_MSR_LOAD_COUNT, 2)
                                .write(ControlField.EXIT_MSR_LOAD_ADDRESS, BEYOND_WIDTH)),
                of(
                        "VM-entry MSR-load list",
                        g -> g.write(ControlField.ENTRY_MSR_LOAD_COUNT, 2)
                                .write(ControlField.ENTRY_MSR_LOAD_ADDRESS, 4)),
                of("reserved VM-entry controls", g -> g.add(ControlField.ENTRY_CONTROLS, EntryControls.ENTRY_TO_SMM)),
                injection("injected event: type", 1 << 8 | VALID),
                injection("injected event: vector agrees with type", 2 << 8 | 3 | VALID),
                injection("injected event: vector agrees with type", EXCEPTION | 32),
                injection("injected event: vector agrees with type", 7 << 8 | 1 | VALID),
                injection(codes, EXCEPTION | 14),
                injection(codes, EXCEPTION | 6 | ERROR_CODE),
                injection(codes, 4 << 8 | 14 | ERROR_CODE | VALID),
                injection("injected event: reserved bits", EXCEPTION | 6 | 1 << 12),
                of(
                        "injected event: error code has 16 bits",
                        g -> g.write(ControlField.ENTRY_INTERRUPTION_INFORMATION, EXCEPTION | 13 | ERROR_CODE)
                                .write(ControlField.ENTRY_EXCEPTION_ERROR_CODE, 1 << 16)),
                of(
                        "injected event: instruction length",
                        g -> g.write(ControlField.ENTRY_INTERRUPTION_INFORMATION, 4 << 8 | 0x80 | VALID)
                                .write(ControlField.ENTRY_INSTRUCTION_LENGTH, 16)));
    }

    @ParameterizedTest
    @MethodSource({"executionControls", "transitionControls"})
    void wrongControlsAreError7(Case test) {
        GuestFixture guest = GuestFixture.longMode();
        test.change.accept(guest);

        assertThat(guest.vmx.vmlaunch()).isEqualTo(VmxStatus.FAIL_VALID);
        assertThat(guest.vmx.brokenEntryRule()).isEqualTo(test.rule);
        assertThat(guest.vmx.instructionError()).isEqualTo(7);
        assertThat(guest.vmx.inNonRoot()).isFalse();
    }

    static Stream<Case> guestRegisters() {
        long efer = 1 << 8 | 1 << 10;
        return Stream.of(
                field("guest CR0", GuestField.CR0, 0x8000_0011L),
                field("guest CR0", GuestField.CR0, 0x1_8000_0031L),
                field("guest CR0: paging needs protection", GuestField.CR0, 0x8000_0030L),
                field("guest CR4", GuestField.CR4, 0x20),
                field("guest CR4", GuestField.CR4, 0x2020 | 1 << 14),
                of(
                        "guest CR4: CET needs CR0.WP",
                        g -> g.write(GuestField.CR4, 0x2020 | 1 << 23).write(GuestField.CR0, 0x8000_0031L)),
                of(
                        "guest DEBUGCTL",
                        g -> g.add(ControlField.ENTRY_CONTROLS, EntryControls.LOAD_DEBUG_CONTROLS)
                                .write(GuestField.IA32_DEBUGCTL, 4)),
                field("IA-32e mode guest: CR0.PG and CR4.PAE are 1", GuestField.CR4, 0x2000),
                of(
                        "no IA-32e mode guest: CR4.PCIDE is 0",
                        g -> g.remove(ControlField.ENTRY_CONTROLS, EntryControls.IA32E_MODE_GUEST)
                                .write(GuestField.CR4, 0x2020 | 1 << 17)),
                field("guest CR3 within the physical-address width", GuestField.CR3, BEYOND_WIDTH),
                of(
                        "guest DR7 has 32 bits",
                        g -> g.add(ControlField.ENTRY_CONTROLS, EntryControls.LOAD_DEBUG_CONTROLS)
                                .write(GuestField.DR7, 1L << 32)),
                field("guest SYSENTER addresses are canonical", GuestField.IA32_SYSENTER_EIP, NON_CANONICAL),
                of(
                        "guest PAT",
                        g -> g.add(ControlField.ENTRY_CONTROLS, EntryControls.LOAD_PAT)
                                .write(GuestField.IA32_PAT, 0x0200)),
                of(
                        "guest EFER",
                        g -> g.add(ControlField.ENTRY_CONTROLS, EntryControls.LOAD_EFER)
                                .write(GuestField.IA32_EFER, efer | 2)),
                of(
                        "guest EFER",
                        g -> g.add(ControlField.ENTRY_CONTROLS, EntryControls.LOAD_EFER)
                                .write(GuestField.IA32_EFER, 1 << 8)),
                field("guest GDTR and IDTR: bases are canonical", GuestField.IDTR_BASE, NON_CANONICAL),
                field("guest GDTR and IDTR: limits have 16 bits", GuestField.GDTR_LIMIT, 0x1_0000),
                field("guest RIP", GuestField.RIP, 1L << 60),
                of(
                        "guest RIP",
                        g -> g.write(GuestField.CS_ACCESS_RIGHTS, 0xc09b).write(GuestField.RIP, 1L << 32)),
                field("guest RFLAGS: reserved bits", GuestField.RFLAGS, 0),
                field("guest RFLAGS: reserved bits", GuestField.RFLAGS, 2 | 1 << 3),
                field("guest RFLAGS.VM is 0 in IA-32e and real-address mode", GuestField.RFLAGS, 2 | 1 << 17),
                injection("guest RFLAGS.IF is 1 if an external interrupt is injected", 0x30 | VALID));
    }

    private static Case rights(String rule, GuestField field, int value) {
        return field(rule, field, value);
    }

    static Stream<Case> guestSegments() {
        String limits = "code and data segments: limit and granularity";
        return Stream.of(
                field("TR selector: TI 0", GuestField.TR_SELECTOR, 0x1c),
                of(
                        "LDTR selector: TI 0 if usable",
                        g -> g.write(GuestField.LDTR_ACCESS_RIGHTS, 0x82).write(GuestField.LDTR_SELECTOR, 4)),
                of(
                        "SS selector: RPL that of CS",
                        g -> g.remove(ControlField.SECONDARY_PROCESSOR_CONTROLS, SecondaryControls.UNRESTRICTED_GUEST)
                                .write(GuestField.SS_SELECTOR, 3)),
                field("TR, FS, GS and usable LDTR bases are canonical", GuestField.FS_BASE, NON_CANONICAL),
                field("CS base, and usable SS, DS, ES bases, have 32 bits", GuestField.ES_BASE, 1L << 32),
                rights("CS type", GuestField.CS_ACCESS_RIGHTS, 0xa09a),
                rights("SS type", GuestField.SS_ACCESS_RIGHTS, 0xc09b),
                rights("DS, ES, FS, GS types", GuestField.DS_ACCESS_RIGHTS, 0xc092),
                rights("DS, ES, FS, GS types", GuestField.GS_ACCESS_RIGHTS, 0xc099),
                rights("code and data segments have S 1", GuestField.FS_ACCESS_RIGHTS, 0xc083),
                rights("CS DPL", GuestField.CS_ACCESS_RIGHTS, 0xa0fb),
                of(
                        "SS DPL",
                        g -> g.remove(ControlField.SECONDARY_PROCESSOR_CONTROLS, SecondaryControls.UNRESTRICTED_GUEST)
                                .write(GuestField.SS_ACCESS_RIGHTS, 0xc0f3)
                                .write(GuestField.CS_ACCESS_RIGHTS, 0xa0fb)),
                of(
                        "DS, ES, FS, GS DPL",
                        g -> g.remove(ControlField.SECONDARY_PROCESSOR_CONTROLS, SecondaryControls.UNRESTRICTED_GUEST)
                                .write(GuestField.DS_SELECTOR, 0x13)),
                rights("code and data segments are present, reserved bits 0", GuestField.DS_ACCESS_RIGHTS, 0xc013),
                rights("code and data segments are present, reserved bits 0", GuestField.ES_ACCESS_RIGHTS, 0xc193),
                rights("CS: L excludes D/B in IA-32e mode", GuestField.CS_ACCESS_RIGHTS, 0xe09b),
                rights(limits, GuestField.DS_ACCESS_RIGHTS, 0x4093),
                field(limits, GuestField.DS_LIMIT, 0xfffff000),
                rights("TR type", GuestField.TR_ACCESS_RIGHTS, 0x89),
                rights("TR type", GuestField.TR_ACCESS_RIGHTS, 0x83),
                rights(
                        "TR: usable system segment, present, limit and granularity",
                        GuestField.TR_ACCESS_RIGHTS,
                        0x1_008b),
                rights(
                        "TR: usable system segment, present, limit and granularity",
                        GuestField.TR_ACCESS_RIGHTS,
                        0x800b | 0x80),
                rights("LDTR: if usable an LDT, present, limit and granularity", GuestField.LDTR_ACCESS_RIGHTS, 0x83));
    }

    static Stream<Case> guestActivity() {
        String agrees = "injected event agrees with the activity state";
        return Stream.of(
                field("activity state is supported", GuestField.ACTIVITY_STATE, 4),
                field("activity state is supported", GuestField.ACTIVITY_STATE, -1),
                of(
                        "HLT only at CPL 0",
                        g -> g.write(GuestField.SS_ACCESS_RIGHTS, 0xc0f3)
                                .write(GuestField.CS_ACCESS_RIGHTS, 0xa0fb)
                                .write(GuestField.ACTIVITY_STATE, 1)),
                of(
                        "blocking by STI or MOV SS only in the active state",
                        g -> g.write(GuestField.INTERRUPTIBILITY_STATE, 2).write(GuestField.ACTIVITY_STATE, 1)),
                of(
                        agrees,
                        g -> g.write(GuestField.ACTIVITY_STATE, 1)
                                .write(ControlField.ENTRY_INTERRUPTION_INFORMATION, EXCEPTION | 6)),
                of(
                        agrees,
                        g -> g.write(GuestField.ACTIVITY_STATE, 3)
                                .write(ControlField.ENTRY_INTERRUPTION_INFORMATION, NMI)),
                field("interruptibility: reserved bits, no blocking by SMI", GuestField.INTERRUPTIBILITY_STATE, 4),
                of(
                        "interruptibility: not both STI and MOV SS",
                        g -> g.write(GuestField.INTERRUPTIBILITY_STATE, 3).write(GuestField.RFLAGS, 0x202)),
                field("interruptibility: STI needs RFLAGS.IF", GuestField.INTERRUPTIBILITY_STATE, 1),
                of(
                        "no external interrupt into blocking by STI or MOV SS",
                        g -> g.write(GuestField.INTERRUPTIBILITY_STATE, 2)
                                .write(GuestField.RFLAGS, 0x202)
                                .write(ControlField.ENTRY_INTERRUPTION_INFORMATION, 0x30 | VALID)),
                of(
                        "no NMI into blocking by MOV SS",
                        g -> g.write(GuestField.INTERRUPTIBILITY_STATE, 2)
                                .write(ControlField.ENTRY_INTERRUPTION_INFORMATION, NMI)),
                of(
                        "no NMI into virtual-NMI blocking",
                        g -> g.write(GuestField.INTERRUPTIBILITY_STATE, 8)
                                .add(ControlField.PIN_CONTROLS, PinControls.NMI_EXITING | PinControls.VIRTUAL_NMIS)
                                .write(ControlField.ENTRY_INTERRUPTION_INFORMATION, NMI)),
                field("pending debug exceptions: reserved bits", GuestField.PENDING_DEBUG_EXCEPTIONS, 1 << 4),
                of(
                        "pending debug exceptions: single step agrees with RFLAGS.TF",
                        g -> g.write(GuestField.INTERRUPTIBILITY_STATE, 2).write(GuestField.RFLAGS, 0x102)));
    }

    private static void failsEntry(GuestFixture guest, String rule, int qualification) {
        long rip = guest.read(GuestField.RIP);
        assertThat(guest.vmx.vmlaunch()).isEqualTo(VmxStatus.ENTRY_FAILED);
        assertThat(guest.vmx.brokenEntryRule()).isEqualTo(rule);
        assertThat(guest.vmx.exit().reason).isEqualTo(ExitReason.ENTRY_FAILURE_GUEST_STATE);
        assertThat(guest.read(ExitField.EXIT_REASON)).isEqualTo(0x8000_0021L);
        assertThat(guest.read(ExitField.EXIT_QUALIFICATION)).isEqualTo(qualification);
        assertThat(guest.read(GuestField.RIP)).as("guest state is not saved").isEqualTo(rip);
        assertThat(guest.vmx.inNonRoot()).isFalse();
    }

    @ParameterizedTest
    @MethodSource({"guestRegisters", "guestSegments", "guestActivity"})
    void wrongGuestStateIsExit33(Case test) {
        GuestFixture guest = GuestFixture.longMode("tigerlake");
        test.change.accept(guest);

        failsEntry(guest, test.rule, 0);
    }

    @Test
    void nmiIntoBlockingByStiIsQualification3() {
        GuestFixture guest = GuestFixture.longMode();
        guest.write(GuestField.INTERRUPTIBILITY_STATE, 1).write(GuestField.RFLAGS, 0x202);
        guest.write(ControlField.ENTRY_INTERRUPTION_INFORMATION, NMI);

        failsEntry(guest, "no NMI into blocking by STI", 3);
    }

    @ParameterizedTest
    @CsvSource({
        "tigerlake, 0x80000b15, SUCCEED",
        "tigerlake, 0x80000315, FAIL_VALID",
        "icelake-sp, 0x80000b15, FAIL_VALID",
        "icelake-sp, 0x80000315, SUCCEED"
    })
    void controlProtectionHasAnErrorCodeWhereTheProcessorHasIt(String cpu, long information, VmxStatus status) {
        GuestFixture guest = GuestFixture.longMode(cpu);
        guest.write(ControlField.ENTRY_INTERRUPTION_INFORMATION, information);

        assertThat(guest.vmx.vmlaunch()).isEqualTo(status);
    }

    @Test
    void wrongLinkPointerIsQualification4() {
        failsEntry(GuestFixture.longMode().write(GuestField.VMCS_LINK_POINTER, 0x123), "VMCS link pointer", 4);
        failsEntry(
                GuestFixture.longMode().write(GuestField.VMCS_LINK_POINTER, GuestFixture.VMCS), "VMCS link pointer", 4);
    }

    @Test
    void wrongPdpteIsQualification2() {
        GuestFixture guest = GuestFixture.unpaged();
        guest.write(GuestField.CR0, 0x8000_0031L).write(GuestField.CR4, 0x2020);
        guest.write(GuestField.PDPTE_3, 0x1003);

        failsEntry(guest, "PDPTEs have no reserved bit", 2);
    }

    @Test
    void virtual8086SegmentsAreChecked() {
        GuestFixture guest = GuestFixture.longMode();
        guest.remove(ControlField.ENTRY_CONTROLS, EntryControls.IA32E_MODE_GUEST);
        guest.write(GuestField.RFLAGS, 2 | 1 << 17);

        failsEntry(guest, "virtual-8086: bases, limits and access rights", 0);
    }

    @Test
    void blockingByMovSsStopsOnlyGuestHypervisors() {
        GuestFixture guest = GuestFixture.longMode();
        guest.cpu.interruptibility = CpuState.BLOCKING_BY_MOV_SS;

        assertThat(guest.vmx.vmlaunch()).isEqualTo(VmxStatus.SUCCEED);
    }

    @Test
    void everyRuleThatJavaCanBreakIsBroken() {
        List<String> cases = Stream.of(
                        executionControls(), transitionControls(), guestRegisters(), guestSegments(), guestActivity())
                .flatMap(s -> s)
                .map(Case::rule)
                .toList();
        List<String> rules = Stream.of(
                        ExecutionControlRules.RULES,
                        TransitionControlRules.RULES,
                        GuestRegisterRules.RULES,
                        GuestSegmentRules.RULES,
                        GuestActivityRules.RULES)
                .flatMap(List::stream)
                .map(EntryRule::title)
                .filter(title -> !title.startsWith("virtual-8086"))
                .toList();

        assertThat(cases).containsAll(rules);
    }
}
