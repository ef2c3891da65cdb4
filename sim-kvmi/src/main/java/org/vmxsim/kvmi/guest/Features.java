package org.vmxsim.kvmi.guest;

import java.util.EnumSet;
import java.util.Set;
import org.vmxsim.kvmi.message.Answer.Feature;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.guest.GuestVmcs;
import org.vmxsim.vmx.control.ControlGroup;
import org.vmxsim.vmx.control.PrimaryControls;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.control.VmxCapabilities;

/** What a machine can do for a tool. Source: kvmi.rst of the branch kvmi-v7, "KVMI_GET_VERSION". */
public final class Features {
    private Features() {}

    /**
     * What the processors that a virtual machine runs on can do.
     *
     * @param vm the virtual machine
     * @return the features, which decide about commands too
     */
    public static Set<Feature> of(Vm vm) {
        VmxCapabilities vmx = vm.kvm().capabilities();
        Set<Feature> features = EnumSet.noneOf(Feature.class);
        if (vm.subPages().checkExtension() > 0) {
            features.add(Feature.SPP);
        }
        if (vmx.allows(ControlGroup.SECONDARY, SecondaryControls.VM_FUNCTIONS)) {
            features.add(Feature.VMFUNC);
        }
        if (GuestVmcs.supportsEptpSwitching(vmx)) {
            features.add(Feature.EPTP);
        }
        if (vmx.allows(ControlGroup.SECONDARY, SecondaryControls.EPT_VIOLATION_VE)) {
            features.add(Feature.VE);
        }
        if (vmx.allows(ControlGroup.PRIMARY, PrimaryControls.MONITOR_TRAP_FLAG)) {
            features.add(Feature.SINGLESTEP);
        }
        return features;
    }
}
