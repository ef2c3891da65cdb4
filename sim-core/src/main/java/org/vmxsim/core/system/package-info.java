/**
 * System instructions: the handlers that need more than registers and memory.
 * {@link org.vmxsim.core.system.SystemInstructions} says which class has which instruction; the classes are groups, as
 * the manual groups them. Handlers check in the manual's order: what is undefined, privilege, interception by VMX, then
 * operands. Not modelled: task switches, virtual-8086 mode, protection keys, performance counters, breakpoints of the
 * debug registers.
 */
package org.vmxsim.core.system;
