/**
 * What a VM exit tells: {@link org.vmxsim.vmx.exit.ExitReason} and {@link org.vmxsim.vmx.exit.VmExit}, and the formats
 * of exit qualification and instruction information.
 */
package org.vmxsim.vmx.exit;
