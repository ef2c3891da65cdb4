/**
 * The KVM above the VM-exit line. Who knows KVM's interface knows this one:
 *
 * <pre>{@code
 * Kvm kvm = Kvm.on(Machine.of(MachineConfig.DEFAULT));
 * Vm vm = kvm.createVm();
 * vm.addMemory(0, 0, 64 << 20, PageSize.SIZE_2M);
 * BootEntry entry = MultibootImage.parse(file).load(vm.memory(), "guest", List.of());
 * Vcpu vcpu = vm.createVcpu();
 * CpuState state = new CpuState();
 * entry.apply(state);
 * vcpu.setState(state);
 * vm.enableCap(Capability.SPP);
 * vm.setSubPages(gfn, new int[] {0xffff_fffe});
 * VcpuExit exit = vcpu.run(1_000_000);
 * }</pre>
 *
 * <p>Read in this order: {@link org.vmxsim.mmu.Kvm}, {@link org.vmxsim.mmu.Vm}, {@link org.vmxsim.mmu.Vcpu},
 * {@link org.vmxsim.mmu.VcpuExit}, {@code VcpuRun} (the loop of enter, exit, handle), {@code ExitDispatcher} and what
 * it calls; then the packages below: {@link org.vmxsim.mmu.host}, {@link org.vmxsim.mmu.memslot},
 * {@link org.vmxsim.mmu.ept}, {@link org.vmxsim.mmu.spp}. Not modelled: interrupt controllers inside the hypervisor,
 * system-management mode but for its address space, nested virtualization but for the switch of paging structures.
 */
package org.vmxsim.mmu;
