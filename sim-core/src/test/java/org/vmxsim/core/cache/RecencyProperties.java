package org.vmxsim.core.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class RecencyProperties {
    @Property(tries = 200)
    void lruGivesUpTheWayUsedLongestAgo(
            @ForAll @IntRange(min = 1, max = 20) int ways,
            @ForAll @Size(max = 100) List<@IntRange(min = 0, max = 59) Integer> uses) {
        Recency recency = new Recency(Replacement.LRU, 3, ways);
        List<Deque<Integer>> order = List.of(new ArrayDeque<>(), new ArrayDeque<>(), new ArrayDeque<>());
        for (Deque<Integer> set : order) {
            for (int way = 0; way < ways; way++) {
                set.add(way);
            }
        }
        for (int use : uses) {
            int set = use % 3;
            int way = use / 3 % ways;
            recency.touch(set, way);
            order.get(set).remove(way);
            order.get(set).addLast(way);
            for (int each = 0; each < 3; each++) {
                assertThat(recency.victim(each)).isEqualTo(order.get(each).peekFirst());
            }
        }
    }

    /** The tree written down as a tree: each node remembers the half that was not used last. */
    private static final class Node {
        private final int first;
        private final int span;
        private Node left;
        private Node right;
        private boolean toRight;

        Node(int first, int span) {
            this.first = first;
            this.span = span;
            if (span > 1) {
                left = new Node(first, span / 2);
                right = new Node(first + span / 2, span / 2);
            }
        }

        void touch(int way) {
            if (span > 1) {
                toRight = way < right.first;
                (toRight ? left : right).touch(way);
            }
        }

        int victim(int ways) {
            if (span == 1) {
                return first;
            }
            return (toRight && right.first < ways ? right : left).victim(ways);
        }
    }

    @Property(tries = 200)
    void treePlruIsATree(
            @ForAll @IntRange(min = 1, max = 64) int ways,
            @ForAll @Size(max = 100) List<@IntRange(min = 0, max = 63) Integer> uses) {
        Recency recency = new Recency(Replacement.TREE_PLRU, 2, ways);
        int span = 1;
        while (span < ways) {
            span *= 2;
        }
        Node tree = new Node(0, span);
        for (int use : uses) {
            recency.touch(1, use % ways);
            tree.touch(use % ways);
            assertThat(recency.victim(1)).isEqualTo(tree.victim(ways));
            assertThat(recency.victim(0)).isZero();
        }
    }

    @Example
    void treePlruOfFourWaysByHand() {
        Recency recency = new Recency(Replacement.TREE_PLRU, 1, 4);
        for (int way = 0; way < 4; way++) {
            recency.touch(0, way);
        }
        assertThat(recency.victim(0)).isZero();
        recency.touch(0, 0);
        assertThat(recency.victim(0)).isEqualTo(2);
        recency.touch(0, 2);
        assertThat(recency.victim(0)).isEqualTo(1);
    }
}
