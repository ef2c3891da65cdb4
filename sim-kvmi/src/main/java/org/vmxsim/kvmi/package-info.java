/**
 * KVM introspection of a simulated virtual machine: {@link org.vmxsim.kvmi.KvmiConnection} joins what is said
 * ({@code wire}) to what it means ({@code service}).
 *
 * <p>Reading order: {@code message} (commands, answers, events, replies), {@code policy} (what a tool may do),
 * {@code service} (what they do) with {@code guest} (what is undone at the end) and {@code registers}, {@code wire} and
 * {@code wire.codec} (how they travel), {@code memory} and {@code device} (mapping of another guest's memory).
 */
package org.vmxsim.kvmi;
