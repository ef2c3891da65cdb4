/** System instructions: the handlers that need more than registers and memory. */
package org.vmxsim.core.system;
