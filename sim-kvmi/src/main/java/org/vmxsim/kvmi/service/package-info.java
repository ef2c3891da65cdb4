/**
 * Introspection of one virtual machine: what each command does, when each event is raised, what a reply decides. Knows
 * nothing of bytes; a tool is a {@link org.vmxsim.kvmi.service.Tool} in the same process, or a conversation by a socket
 * that behaves like one.
 *
 * <p>Reading order: {@link org.vmxsim.kvmi.service.Introspection} (the run loop),
 * {@link org.vmxsim.kvmi.service.Session} (a tool's side), {@code IntrospectedVcpu} (what waits for a reply), then
 * {@code TurnExits} (what the end of a turn means) with {@code RegisterEvents} and {@code PageEvents} for the events,
 * {@code EventMasks} (what the tool wants to be told); {@code VmCommands}, {@code VcpuCommands} and
 * {@code ViewCommands} for the commands.
 *
 * <p>Everything happens on the thread that runs the vCPUs: commands between turns or while a vCPU waits, events when
 * the vCPU has come back from the guest. A vCPU with an unanswered event does not run; the others do. The same guest,
 * schedule and input give the same run.
 *
 * <p>Sources: kvmi.rst of "VM introspection", RFC v4, and of the branch kvmi-v7; {@code virt/kvm/kvmi.c} of both.
 */
package org.vmxsim.kvmi.service;
