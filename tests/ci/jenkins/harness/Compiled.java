import com.cloudbees.groovy.cps.CpsTransformer;
import com.cloudbees.groovy.cps.NonCPS;
import groovy.lang.GroovyClassLoader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.codehaus.groovy.control.CompilationUnit;
import org.codehaus.groovy.control.CompilerConfiguration;
import org.codehaus.groovy.control.Phases;
import org.codehaus.groovy.control.customizers.ImportCustomizer;
import org.codehaus.groovy.tools.GroovyClass;

/** The classes of a Jenkinsfile and its libraries, in a loader of their own: nothing of them outlives a restart. */
final class Compiled extends ClassLoader {
    /** Class files by their sources: each restart loads its classes anew, only a new process compiles again. */
    private static final Map<Map<String, String>, Map<String, byte[]>> KNOWN = new HashMap<>();

    private final Map<String, byte[]> files;

    private Compiled(Map<String, byte[]> files) {
        super(Compiled.class.getClassLoader());
        this.files = files;
    }

    /** From files by the name of the class that each makes. */
    static Compiled from(Map<String, File> named) throws IOException {
        Map<String, String> sources = new LinkedHashMap<>();
        for (Map.Entry<String, File> one : named.entrySet()) {
            sources.put(one.getKey(), new String(Files.readAllBytes(one.getValue().toPath()), "UTF-8"));
        }
        return new Compiled(KNOWN.computeIfAbsent(sources, Compiled::compile));
    }

    private static Map<String, byte[]> compile(Map<String, String> sources) {
        CompilerConfiguration cps = new CompilerConfiguration();
        cps.addCompilationCustomizers(new CpsTransformer(), new ImportCustomizer().addImports("Library", NonCPS.class.getName()));
        cps.setScriptBaseClass(PipelineScript.class.getName());
        CompilationUnit unit = new CompilationUnit(cps, null, new GroovyClassLoader(Compiled.class.getClassLoader(), cps));
        sources.forEach((name, text) -> unit.addSource(name + ".groovy", text));
        unit.compile(Phases.CLASS_GENERATION);
        Map<String, byte[]> made = new HashMap<>();
        for (Object one : unit.getClasses()) {
            made.put(((GroovyClass) one).getName(), ((GroovyClass) one).getBytes());
        }
        return made;
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        byte[] file = files.get(name);
        if (file == null) {
            throw new ClassNotFoundException(name);
        }
        return defineClass(name, file, 0, file.length);
    }
}
