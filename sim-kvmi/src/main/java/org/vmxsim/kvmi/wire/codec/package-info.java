/**
 * The two wire formats: bytes to {@link org.vmxsim.kvmi.message.Command} and
 * {@link org.vmxsim.kvmi.message.EventReply}, {@link org.vmxsim.kvmi.message.Answer} and
 * {@link org.vmxsim.kvmi.message.Event} to bytes. Nothing here keeps state.
 *
 * <p>Reading order: {@link org.vmxsim.kvmi.wire.codec.MessageHeader}, {@link org.vmxsim.kvmi.wire.codec.Codec},
 * {@link org.vmxsim.kvmi.wire.codec.Decoded}, then {@link org.vmxsim.kvmi.wire.codec.BranchV7Codec} or
 * {@link org.vmxsim.kvmi.wire.codec.V4Codec}. Each format has a table of its commands, one row each, with the offsets
 * that the header files have.
 *
 * <p>All numbers are little-endian. The version number on the wire is 1 in both formats and cannot tell them apart.
 *
 * <p>Not modelled: the formats of the other postings, which no tool speaks.
 */
package org.vmxsim.kvmi.wire.codec;
