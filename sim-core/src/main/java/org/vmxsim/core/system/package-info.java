/**
 * System instructions: the handlers that need more than registers and memory. One small class is one family:
 *
 * <ul>
 *   <li>{@code SystemInstructions}: which handler executes which operation; {@code SystemHandler}: what all share;
 *   <li>{@code ControlRegisters}, {@code ControlRegisterMoves}: MOV to and from CR, CLTS, LMSW, SMSW;
 *       {@code DebugRegisterMoves}: MOV to and from DR;
 *   <li>{@code DescriptorTableInstructions}: LGDT, LIDT, SGDT, SIDT, LLDT, LTR, SLDT, STR;
 *   <li>{@code SegmentMoves}: MOV, PUSH and POP of segment registers, LDS to LGS; {@code SelectorChecks}: LAR, LSL,
 *       VERR, VERW, ARPL;
 *   <li>{@code FarControl}: far JMP, CALL, RET, IRET, INT n, INT1, INT3, INTO; {@code FastCalls}: SYSCALL, SYSRET,
 *       SYSENTER, SYSEXIT, SWAPGS;
 *   <li>{@code Msrs}, {@code MsrInstructions}: RDMSR, WRMSR; {@code PortInstructions}: IN, OUT, INS, OUTS;
 *   <li>{@code ProcessorIdentity}: CPUID, RDTSC, RDTSCP, RDPMC, RDPID, RDRAND, RDSEED; {@code ProcessorControl}: HLT,
 *       PAUSE, CLI and STI, CLAC, STAC, MONITOR, MWAIT, INVD, WBINVD, XGETBV, XSETBV, PKRU, the FS and GS bases;
 *   <li>{@code TranslationInvalidations}: INVLPG, INVPCID; {@code VmxInstructions}: all of VMX.
 * </ul>
 */
package org.vmxsim.core.system;
