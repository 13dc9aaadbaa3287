# Stands in for Kubeflow's upstream notebook image: the same user, port, prefix and first process, from Debian packages.
FROM tagline-test/notebook:1 AS upstream
RUN echo 'jovyan:x:1000:100::/home/jovyan:/bin/bash' >>/etc/passwd && mkdir -p /home/jovyan /etc/services.d/jupyter \
    && chown 1000:100 /home/jovyan
COPY init /init
COPY jupyter /etc/services.d/jupyter/run
RUN chmod 755 /init /etc/services.d/jupyter/run
ENV NB_USER=jovyan NB_UID=1000 NB_PREFIX=/ HOME=/home/jovyan
EXPOSE 8888
USER 1000
ENTRYPOINT ["/init"]
