/**
 * Random guests: programs, tables and VMCS contents, drawn from seeds. {@code GuestImage} is what they run in,
 * {@code ProgramGenerator} draws them, {@code Rig} runs them natively and {@code GuestRig} under EPT.
 */
package org.vmxsim.vmx.fuzz;
