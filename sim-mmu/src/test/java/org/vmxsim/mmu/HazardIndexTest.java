package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** docs/spp.md names each test of a numbered hazard, and no other. */
class HazardIndexTest {
    private static final Pattern NAME = Pattern.compile("`([ST][0-9]+_\\w+)`");

    @Test
    void theIndexNamesEachTestOfAHazard() throws IOException {
        Matcher matcher = NAME.matcher(Files.readString(Path.of("..", "docs", "spp.md")));
        Set<String> named = new TreeSet<>();
        while (matcher.find()) {
            named.add(matcher.group(1));
        }
        Set<String> tests = new TreeSet<>();
        for (Class<?> suite : new Class<?>[] {SHazardsTest.class, THazardsTest.class}) {
            Arrays.stream(suite.getDeclaredMethods())
                    .filter(method -> method.isAnnotationPresent(Test.class))
                    .map(Method::getName)
                    .filter(name -> name.matches("[ST][0-9]+_.*"))
                    .forEach(tests::add);
        }
        assertThat(named).isEqualTo(tests);
    }
}
