/**
 * A server of the GDB remote serial protocol for the bare machine: {@link org.vmxsim.lab.gdb.GdbServer} listens,
 * {@link org.vmxsim.lab.gdb.GdbAddress} says where. Processors are threads, numbered from 1. Registers are those of
 * x86-64 with segments and control registers; x87 registers are shown as not available. Memory is by linear address
 * through the tables of the selected processor, RAM only, without side effects. Breakpoints and watchpoints live
 * outside the machine: its debug registers and its memory stay as they are, whatever kind is asked for.
 *
 * <p>Threads cannot be held while others run: all processors go on together, and a step ends when the processor that
 * steps has executed one instruction or taken an event. Not offered: several processes, non-stop mode, reverse
 * execution, monitor commands, files of the host.
 */
package org.vmxsim.lab.gdb;
