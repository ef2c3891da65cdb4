/**
 * The device by which a guest maps memory of another one: {@code /dev/kvmmem} as a Java object, after the guest's
 * driver in "[RFC PATCH v4 02/18] add memory map/unmap support for VM introspection on the guest side" and its review.
 *
 * <p>Read in this order: {@link org.vmxsim.kvmi.device.KvmMemDevice} and {@link org.vmxsim.kvmi.device.KvmMemFile}, the
 * device and an open file; {@link org.vmxsim.kvmi.device.FileCall}, how several calls at once are modelled;
 * {@link org.vmxsim.kvmi.device.DeviceQuirk}, what the posted driver does wrong. The driver asks for two things:
 * {@link org.vmxsim.kvmi.device.GuestProcess}, the calling process, and {@link org.vmxsim.kvmi.device.GuestKernel}, the
 * way to the hypervisor; {@link org.vmxsim.kvmi.device.VcpuProcess} and {@link org.vmxsim.kvmi.device.VcpuKernel} are
 * those of a vCPU. The same driver as code of a guest is in guests/introspector.
 *
 * <p>Not modelled: failure to register the device for another reason than a missing KVM; its removal, since it is never
 * a module; the mapping of whole memslots of later versions, whose numbers give ENOTTY.
 */
package org.vmxsim.kvmi.device;
