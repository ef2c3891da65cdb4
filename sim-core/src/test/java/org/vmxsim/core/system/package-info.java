/**
 * System instructions, one at a time: {@code Scene} executes an instruction given as bytes and answers with one word,
 * so that a test reads like a line of the manual.
 */
package org.vmxsim.core.system;
