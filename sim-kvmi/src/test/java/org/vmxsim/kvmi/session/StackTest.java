package org.vmxsim.kvmi.session;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.kvmi.WireFormat;

/** The programs of the sessions, with nobody watching and with somebody who only comes and goes. */
class StackTest {
    @ParameterizedTest
    @EnumSource(WireFormat.class)
    void workersReachTheirResults(WireFormat format) {
        Stack stack = new Stack(format, 3, 20);
        stack.finish();
        stack.restart();
        stack.connect();
        stack.turn(100);
        stack.hangUp();
        stack.finish();
        stack.checkRestored();
    }
}
