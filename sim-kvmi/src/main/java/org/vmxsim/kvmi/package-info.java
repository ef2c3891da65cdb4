/**
 * KVM introspection of a simulated virtual machine: {@link org.vmxsim.kvmi.KvmiConnection} joins what is said
 * ({@code wire}) to what it means ({@code service}).
 *
 * <p>Reading order: {@code message} (commands, answers, events, replies), {@code service} (what they do), {@code wire}
 * and {@code wire.codec} (how they travel), {@code memory} and {@code device} (mapping of another guest's memory),
 * {@code policy} (what a tool may do), {@code registers}.
 */
package org.vmxsim.kvmi;
