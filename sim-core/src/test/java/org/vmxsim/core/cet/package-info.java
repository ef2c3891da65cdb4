/** Control-flow enforcement against values typed from the manual, and against a naive shadow stack. */
package org.vmxsim.core.cet;
