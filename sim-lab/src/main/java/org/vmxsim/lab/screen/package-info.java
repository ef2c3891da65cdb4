/** What a program shows on the text screen of a PC: {@link org.vmxsim.lab.screen.TextScreen}, read from its memory. */
package org.vmxsim.lab.screen;
