package org.vmxsim.core.time;

/**
 * Fixed costs in core cycles, out of a preset.
 *
 * @param secondTlbHit extra for a translation that hits the STLB
 * @param walkStart extra for starting a page walk
 * @param exit a VM exit
 * @param entry a VM entry
 * @param vmcsAccess VMREAD, VMWRITE, VMPTRLD, VMPTRST, VMCLEAR
 * @param invlpg INVLPG or INVPCID of an individual address
 * @param invpcid INVPCID of contexts
 * @param invvpid INVVPID
 * @param invept INVEPT
 */
record CycleCosts(
        int secondTlbHit,
        int walkStart,
        int exit,
        int entry,
        int vmcsAccess,
        int invlpg,
        int invpcid,
        int invvpid,
        int invept) {
    static CycleCosts of(TimingPreset preset) {
        return new CycleCosts(
                preset.number("stlb.hitExtraCycles"),
                preset.number("walk.startCycles"),
                preset.number("vmx.exitCycles"),
                preset.number("vmx.entryCycles"),
                preset.number("vmx.vmcsAccessCycles"),
                preset.number("invlpg.cycles"),
                preset.number("invpcid.cycles"),
                preset.number("invvpid.cycles"),
                preset.number("invept.cycles"));
    }
}
