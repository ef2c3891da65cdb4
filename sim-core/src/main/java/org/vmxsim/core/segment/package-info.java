/**
 * Segmentation: descriptors, segment loads, gates, far transfers, the task-state segment. Read
 * {@link org.vmxsim.core.segment.Descriptors} (the formats), {@link org.vmxsim.core.segment.SegmentLoad} (MOV to a
 * segment register), {@link org.vmxsim.core.segment.InterruptGates} (events), and
 * {@link org.vmxsim.core.segment.FarTransfers} (JMP, CALL, RET, IRET). Not modelled: task switches and virtual-8086
 * mode.
 */
package org.vmxsim.core.segment;
