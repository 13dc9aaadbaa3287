/** Runs the body of a block step within the program, so that it is suspended and resumed with it. */
class Blocks implements Serializable {
    private static final long serialVersionUID = 1L

    def run(Request open, Request close, Closure body) {
        com.cloudbees.groovy.cps.Continuable.suspend(open.step, open)
        try {
            return body.call()
        } finally {
            com.cloudbees.groovy.cps.Continuable.suspend(close.step, close)
        }
    }
}
