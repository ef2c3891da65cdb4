package org.vmxsim.kvmi.message;

/**
 * The kinds of command. Their numbers differ between the wire formats, and no format has them all. Source: kvmi.rst,
 * "Commands", and the header of the branch kvmi-v7.
 */
public enum CommandKind {
    /** {@link VmCommand.GetVersion}. */
    GET_VERSION(true),
    /** {@link VmCommand.CheckCommand}. */
    CHECK_COMMAND(false),
    /** {@link VmCommand.CheckEvent}. */
    CHECK_EVENT(false),
    /** {@link VmCommand.GetGuestInfo}. */
    GET_GUEST_INFO(true),
    /** {@link VcpuCommand.GetVcpuInfo}. */
    GET_VCPU_INFO(true),
    /** {@link VcpuCommand.PauseVcpu}. */
    PAUSE_VCPU(false),
    /** {@link VmCommand.ControlVmEvents}. */
    CONTROL_VM_EVENTS(false),
    /** {@link VcpuCommand.ControlEvents} or, in the first format, {@link VcpuCommand.SetEventMask}. */
    CONTROL_EVENTS(false),
    /** {@link VcpuCommand.ControlCr}. */
    CONTROL_CR(false),
    /** {@link VcpuCommand.ControlMsr}. */
    CONTROL_MSR(false),
    /** {@link VcpuCommand.GetRegisters}. */
    GET_REGISTERS(true),
    /** {@link VcpuCommand.SetRegisters}. */
    SET_REGISTERS(false),
    /** {@link VcpuCommand.GetCpuid}. */
    GET_CPUID(true),
    /** {@link VcpuCommand.GetXsave}. */
    GET_XSAVE(true),
    /** {@link VmCommand.ReadPhysical}. */
    READ_PHYSICAL(true),
    /** {@link VmCommand.WritePhysical}. */
    WRITE_PHYSICAL(false),
    /** {@link VcpuCommand.InjectException}. */
    INJECT_EXCEPTION(false),
    /** {@link VmCommand.GetPageAccess}. */
    GET_PAGE_ACCESS(true),
    /** {@link VmCommand.SetPageAccess}. */
    SET_PAGE_ACCESS(false),
    /** {@link VmCommand.GetMapToken}. */
    GET_MAP_TOKEN(true),
    /** {@link VcpuCommand.GetMtrrType}. */
    GET_MTRR_TYPE(true),
    /** {@link VmCommand.ControlSpp}. */
    CONTROL_SPP(false),
    /** {@link VmCommand.SetPageWriteBitmap}. */
    SET_PAGE_WRITE_BITMAP(false),
    /** {@link VmCommand.ControlCmdResponse}. */
    CONTROL_CMD_RESPONSE(false),
    /** {@link VcpuCommand.SetVeInfo}. */
    SET_VE_INFO(false),
    /** {@link VmCommand.GetMaxGfn}. */
    GET_MAX_GFN(true),
    /** {@link VmCommand.SetPageSve}. */
    SET_PAGE_SVE(false),
    /** {@link VmCommand.GetNextAvailableGfn}. */
    GET_NEXT_AVAILABLE_GFN(true),
    /** {@link VcpuCommand.SwitchEptView}. */
    SWITCH_EPT_VIEW(false),
    /** {@link VcpuCommand.DisableVe}. */
    DISABLE_VE(false),
    /** {@link VcpuCommand.GetEptView}. */
    GET_EPT_VIEW(true),
    /** {@link VcpuCommand.TranslateGva}. */
    TRANSLATE_GVA(true),
    /** {@link VcpuCommand.ControlEptView}. */
    CONTROL_EPT_VIEW(false),
    /** {@link VcpuCommand.GetXcr}. */
    GET_XCR(true),
    /** {@link VcpuCommand.SetXsave}. */
    SET_XSAVE(false),
    /** {@link VmCommand.QueryPhysical}. */
    QUERY_PHYSICAL(true),
    /** {@link VcpuCommand.AllocGfn}. */
    ALLOC_GFN(false),
    /** {@link VcpuCommand.FreeGfn}. */
    FREE_GFN(false),
    /** {@link VmCommand.CreateEptView}. */
    CREATE_EPT_VIEW(true),
    /** {@link VmCommand.DestroyEptView}. */
    DESTROY_EPT_VIEW(false),
    /** {@link VcpuCommand.ChangeGfn}. */
    CHANGE_GFN(false),
    /** {@link VcpuCommand.ControlSinglestep}. */
    CONTROL_SINGLESTEP(false);

    private final boolean answerCarriesData;

    CommandKind(boolean answerCarriesData) {
        this.answerCarriesData = answerCarriesData;
    }

    /**
     * Whether a successful answer says more than that the command succeeded. Such a command makes no sense while
     * answers are switched off.
     *
     * @return true for those that ask
     */
    public boolean answerCarriesData() {
        return answerCarriesData;
    }
}
