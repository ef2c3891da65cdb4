/** A bare machine for tests, and guest programs that run on it. */
package org.vmxsim.core.machine;
