/**
 * Segmentation: descriptors, segment loads, gates, far transfers, the task-state segment. Read
 * {@link org.vmxsim.core.segment.Descriptors} (the formats), {@link org.vmxsim.core.segment.SegmentLoad} (MOV to a
 * segment register), {@link org.vmxsim.core.segment.InterruptGates} (events), and
 * {@link org.vmxsim.core.segment.FarTransfers} (JMP, CALL, RET, IRET). Task switches and virtual-8086 mode are
 * {@code TaskSwitch} and {@link org.vmxsim.core.segment.Virtual8086}.
 */
package org.vmxsim.core.segment;
