import groovy.json.JsonSlurper;
import groovy.lang.Closure;
import java.io.File;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The one table of steps and parameters that plugins document; a name that is not in it fails. */
final class Table {
    private final Map<String, Map<String, Object>> rows;

    @SuppressWarnings("unchecked")
    Table(File file) {
        rows = (Map<String, Map<String, Object>>) new JsonSlurper().parse(file);
    }

    Entry find(String name) {
        Map<String, Object> row = rows.get(name);
        if (row == null) {
            throw new Failed("No such DSL method '" + name + "': it is not in the table of steps");
        }
        return new Entry(name, row);
    }

    static Closure<?> bodyOf(String name, Object[] args) {
        if (args.length == 0 || !(args[args.length - 1] instanceof Closure)) {
            throw new Failed(name + " needs a body");
        }
        return (Closure<?>) args[args.length - 1];
    }

    /** One row: a step, or a symbol that describes a value inside a parameter of a step. */
    static final class Entry {
        final String name;
        final boolean block;
        final boolean symbol;
        private final Map<String, String> types;
        private final List<String> required;
        private final String first;

        @SuppressWarnings("unchecked")
        Entry(String name, Map<String, Object> row) {
            this.name = name;
            block = Boolean.TRUE.equals(row.get("block"));
            symbol = Boolean.TRUE.equals(row.get("symbol"));
            types = (Map<String, String>) row.get("parameters");
            required = (List<String>) row.getOrDefault("required", new ArrayList<String>());
            first = (String) row.get("first");
        }

        /** The parameters by name, as the plugin documents them. */
        Map<String, Object> named(Object[] args) {
            Map<String, Object> given = new LinkedHashMap<>();
            int count = block ? args.length - 1 : args.length;
            if (count == 1 && args[0] instanceof Map && !((Map<?, ?>) args[0]).containsKey("$symbol")) {
                ((Map<?, ?>) args[0]).forEach((key, value) -> given.put(key.toString(), value));
            } else if (count == 1 && first != null) {
                given.put(first, args[0]);
            } else if (count > 0) {
                throw new Failed(name + ": parameters go by name");
            }
            return checked(given);
        }

        Map<String, Object> described(Object[] args) {
            Map<String, Object> given = named(args);
            given.put("$symbol", name);
            return given;
        }

        private Map<String, Object> checked(Map<String, Object> given) {
            given.forEach(this::check);
            for (String one : required) {
                if (given.get(one) == null) {
                    throw new Failed(name + ": the parameter '" + one + "' is required");
                }
            }
            return given;
        }

        private void check(String parameter, Object value) {
            String type = types.get(parameter);
            if (type == null) {
                throw new Failed("Unknown parameter(s) found for step '" + name + "': " + parameter);
            }
            if (value != null && !fits(type, value)) {
                throw new Failed(name + ": '" + parameter + "' is a " + type + ", not " + value.getClass());
            }
        }

        private static boolean fits(String type, Object value) {
            switch (type) {
                case "String":
                    return value instanceof CharSequence;
                case "boolean":
                    return value instanceof Boolean;
                case "list":
                    return value instanceof List;
                case "map":
                    return value instanceof Map;
                default:
                    throw new IllegalStateException("the table has a type " + type);
            }
        }
    }
}
